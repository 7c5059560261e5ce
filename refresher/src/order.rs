//! Which of two definitions is newer, by the version numbers PostHog gives each flag.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::diff::diff;

/// Whether definitions `a` are newer (`Greater`) or older (`Less`) than `b`, or the same (`Equal`).
///
/// Told by the flags that both hold, found by their `id`: PostHog counts a flag's `version` up with every
/// change of it. `None` where they do not tell: one side cannot be read, no flag has a version on both
/// sides, some are newer and some older, or all are the same and the definitions still differ (a cohort
/// has no version, and neither has a flag that was added or removed).
#[must_use]
pub fn order(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let (versions_a, versions_b) = (versions(a)?, versions(b)?);
    let mut found = Ordering::Equal;
    for (id, version) in &versions_a {
        let (Some(version), Some(Some(other))) = (version, versions_b.get(id)) else { continue };
        match (found, version.cmp(other)) {
            (_, Ordering::Equal) => {}
            (Ordering::Equal, this) => found = this,
            (before, this) if before == this => {}
            _ => return None,
        }
    }
    match found {
        Ordering::Equal => {
            let same = a == b || diff(b, a).is_ok_and(|diff| diff.is_empty());
            same.then_some(Ordering::Equal)
        }
        found => Some(found),
    }
}

/// What of definitions, and of a flag in them, is read here: the rest is only passed over.
#[derive(Deserialize)]
struct Definitions<'a> {
    #[serde(borrow)]
    flags: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Flag {
    id: i64,
    version: i64,
}

/// The version of each flag by its id; none where an id is given twice.
fn versions(definitions: &[u8]) -> Option<HashMap<i64, Option<i64>>> {
    let definitions: Definitions<'_> = serde_json::from_slice(definitions).ok()?;
    let mut versions = HashMap::with_capacity(definitions.flags.len());
    for flag in definitions.flags {
        if let Ok(Flag { id, version }) = serde_json::from_str(flag.get()) {
            versions.entry(id).and_modify(|known| *known = None).or_insert(Some(version));
        }
    }
    Some(versions)
}
