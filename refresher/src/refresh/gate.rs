//! The publish gate: what may take the place of a good snapshot.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde::Deserialize;

use super::fresh::{Checked, Fresh};
use super::{Policy, Refusal};
use crate::order::{by_versions, skim};
use crate::outcome::{Reason, Status};
use crate::report::{count, printable};
use crate::snapshot::Held;

/// Fewer flags than this may always vanish: in a small project they are soon a large share.
const FEW: usize = 3;
/// Most flags named in a refusal.
const NAMED: usize = 5;

/// Whether definitions may replace what a store holds: a snapshot, or a damaged one. Says what the
/// evaluator made of them.
pub(super) fn pass<'a>(
    policy: &Policy,
    held: Option<&Held>,
    damaged: bool,
    fresh: &'a Fresh,
) -> Result<&'a Checked, Refusal> {
    let checked = fresh.checked().map_err(Clone::clone)?;
    if policy.force || fresh.cleared.is_some() || (held.is_none() && !damaged) {
        return Ok(checked);
    }
    let stale = |reason, text: String| Err(Refusal::new(Status::Stale, reason, text));
    // What this build cannot read cannot be counted, so it is taken for something to lose.
    let stored = held.and_then(|held| keys(held.definitions()));
    if checked.keys.is_empty() && !stored.as_ref().is_some_and(Vec::is_empty) && !policy.allow_empty
    {
        return stale(
            Reason::EmptyRefused,
            "posthog answered with an empty list of flags: if that is right, run once with --allow-empty"
                .to_owned(),
        );
    }
    let (Some(held), Some(stored)) = (held, stored) else {
        return Ok(checked);
    };
    let kept: HashSet<_> = checked.keys.iter().map(|key| key.to_str_lossy()).collect();
    let removed: Vec<_> = stored.iter().filter(|key| !kept.contains(key.as_str())).collect();
    let share = removed.len() * 100 / stored.len().max(1);
    let all = checked.keys.is_empty();
    if removed.len() >= FEW && share > usize::from(policy.max_removed) && !all {
        let named = removed.iter().take(NAMED);
        let mut named: Vec<_> = named.map(|key| printable(key)).collect();
        if removed.len() > NAMED {
            named.push("…".to_owned());
        }
        return stale(
            Reason::MassDeletion,
            format!(
                "posthog's answer lacks {} of the {} stored ({share} %, more than the {} % of --max-removed): {}; if that is right, run once with --force",
                count(removed.len(), "flag"),
                stored.len(),
                policy.max_removed,
                named.join(", ")
            ),
        );
    }
    let same_project = held.header.upstream == fresh.origin.upstream;
    let order = by_versions(held.definitions(), &fresh.definitions);
    if same_project && order == Some(Ordering::Greater) {
        return stale(
            Reason::Older,
            "posthog answered with definitions older than those stored, by their flags' versions: if that is right, run once with --force"
                .to_owned(),
        );
    }
    Ok(checked)
}

/// The keys of stored definitions. They were checked when they were stored, and are not compiled again
/// for this: that takes longer than all the rest.
fn keys(definitions: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Flag {
        key: String,
    }
    let mut seen = HashSet::new();
    let keys = skim::<Flag>(definitions)?.into_iter().map(|flag| flag.key);
    Some(keys.filter(|key| seen.insert(key.clone())).collect())
}
