//! Which of two definitions is newer, by the version numbers PostHog gives each flag.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::diff::diff;
use crate::raw::{flags, frame, get, members};

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

/// The version of each flag by its id; none where an id is given twice.
fn versions(definitions: &[u8]) -> Option<HashMap<i64, Option<i64>>> {
    let mut versions = HashMap::new();
    for flag in flags(&frame(definitions).ok()?).ok()? {
        let flag = members(flag).unwrap_or_default();
        let number = |name| get(&flag, name).and_then(|value| value.parse::<i64>().ok());
        if let (Some(id), Some(version)) = (number("id"), number("version")) {
            versions.entry(id).and_modify(|known| *known = None).or_insert(Some(version));
        }
    }
    Some(versions)
}
