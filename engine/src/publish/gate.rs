//! The publish gate: what may take the place of a good snapshot.

use std::cmp::Ordering;

use super::listed::listed;
use super::order::by_versions;
use super::words::{count, printable};
use crate::compile::Names;
use crate::ecma::Host;
use crate::text::Text;

/// Fewer flags than this may always vanish: in a small project they are soon a large share.
const FEW: usize = 3;
/// Most flags named in a refusal.
const NAMED: usize = 5;

/// What the gate lets through.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether an empty list of flags may replace one that is not.
    pub allow_empty: bool,
    /// The share of the stored flags, in percent, that may vanish at once.
    pub max_removed: u8,
    /// Whether the gate is open for whatever the evaluator can read.
    pub force: bool,
}

/// What a person calls the members of [`Policy`].
#[derive(Clone, Copy, Debug)]
pub struct Spelling {
    pub allow_empty: &'static str,
    pub max_removed: &'static str,
    pub force: &'static str,
}

/// What is to be replaced.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    Nothing,
    /// Something that is no snapshot any more.
    Damaged,
    /// A good snapshot's definitions, and whether they come from the same project as the new ones.
    Good {
        definitions: &'a [u8],
        same_project: bool,
    },
}

/// Definitions that the evaluator can read.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub definitions: &'a [u8],
    /// The keys of the flags that the evaluator makes of them.
    pub keys: &'a [Text],
    /// Whether a policy put these in the place of definitions that did not come.
    pub cleared: bool,
}

/// Why definitions are not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// An empty list would replace flags.
    Empty,
    /// Too many flags would vanish at once.
    MassDeletion,
    /// What came is older than what is stored.
    Older,
}

/// Why definitions are not published, with the way to publish them nevertheless.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub reason: Refused,
    pub text: String,
}

/// Whether definitions may replace what is stored.
///
/// # Errors
/// They may not.
pub fn gate(
    policy: Policy,
    spelling: Spelling,
    stored: Stored<'_>,
    fresh: Incoming<'_>,
    host: &dyn Host,
) -> Result<(), Refusal> {
    if policy.force || fresh.cleared || matches!(stored, Stored::Nothing) {
        return Ok(());
    }
    // What this build cannot read cannot be counted, so it is taken for something to lose.
    // It was checked when it was stored, and is not compiled again: that takes longer than all the rest.
    let held = match stored {
        Stored::Good { definitions, same_project } => {
            listed(definitions, host).map(|flags| (flags, same_project))
        }
        Stored::Nothing | Stored::Damaged => None,
    };
    let is_empty = fresh.keys.is_empty();
    if is_empty && !policy.allow_empty && held.as_ref().is_none_or(|(flags, _)| !flags.is_empty()) {
        return refuse(
            Refused::Empty,
            format!(
                "posthog answered with an empty list of flags: if that is right, run once with {}",
                spelling.allow_empty
            ),
        );
    }
    let Some((held, same_project)) = held else {
        return Ok(());
    };
    let (mut keys, mut kept) = (Names::default(), Names::default());
    for key in held.iter().filter_map(|flag| flag.key.as_ref()) {
        keys.number(key);
    }
    for key in fresh.keys {
        kept.number(key);
    }
    let removed: Vec<_> = keys.iter().filter(|key| kept.find(key.as_bytes()).is_none()).collect();
    let share = removed.len() * 100 / keys.len().max(1);
    if removed.len() >= FEW && share > usize::from(policy.max_removed) && !is_empty {
        let named = removed.iter().take(NAMED);
        let mut named: Vec<_> = named.map(|key| printable(&key.to_str_lossy())).collect();
        if removed.len() > NAMED {
            named.push("…".to_owned());
        }
        return refuse(
            Refused::MassDeletion,
            format!(
                "posthog's answer lacks {} of the {} stored ({share} %, more than the {} % of {}): {}; if that is right, run once with {}",
                count(removed.len(), "flag"),
                keys.len(),
                policy.max_removed,
                spelling.max_removed,
                named.join(", "),
                spelling.force
            ),
        );
    }
    let order = same_project
        .then(|| listed(fresh.definitions, host))
        .flatten()
        .and_then(|fresh| by_versions(&held, &fresh));
    if order == Some(Ordering::Greater) {
        return refuse(
            Refused::Older,
            format!(
                "posthog answered with definitions older than those stored, by their flags' versions: if that is right, run once with {}",
                spelling.force
            ),
        );
    }
    Ok(())
}

fn refuse(reason: Refused, text: String) -> Result<(), Refusal> {
    Err(Refusal { reason, text })
}
