//! The publish gate: what may take the place of a good snapshot.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::fresh::{Checked, Fresh};
use super::{Policy, Refusal};
use crate::order::{by_versions, listed};
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
    // It was checked when it was stored, and is not compiled again: that takes longer than all the rest.
    let stored = held.and_then(|held| listed(held.definitions()));
    if checked.ruleset.is_empty()
        && !stored.as_ref().is_some_and(Vec::is_empty)
        && !policy.allow_empty
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
    let mut seen = HashSet::new();
    let keys = stored.iter().filter_map(|flag| flag.key.as_deref());
    let keys: Vec<_> = keys.filter(|key| seen.insert(*key)).collect();
    let fresh_keys = checked.ruleset.flag_keys();
    let kept: HashSet<_> = fresh_keys.iter().map(|key| key.to_str_lossy()).collect();
    let removed: Vec<_> = keys.iter().filter(|key| !kept.contains(**key)).collect();
    let share = removed.len() * 100 / keys.len().max(1);
    let all = checked.ruleset.is_empty();
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
                keys.len(),
                policy.max_removed,
                named.join(", ")
            ),
        );
    }
    let same_project = held.header.upstream == fresh.origin.upstream;
    let order = listed(&fresh.definitions).and_then(|fresh| by_versions(&stored, &fresh));
    if same_project && order == Some(Ordering::Greater) {
        return stale(
            Reason::Older,
            "posthog answered with definitions older than those stored, by their flags' versions: if that is right, run once with --force"
                .to_owned(),
        );
    }
    Ok(checked)
}
