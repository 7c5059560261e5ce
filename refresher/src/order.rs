//! Which of two definitions is newer, by the version numbers PostHog gives each flag.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::diff::diff;
use crate::raw::{Member, flags, frame, get, members};

/// Whether definitions `a` are newer (`Greater`) or older (`Less`) than `b`, or the same (`Equal`).
///
/// Told by the flags that both hold, found by their `id`: PostHog counts a flag's `version` up with every
/// change of it. `None` where they do not tell: one side cannot be read, no flag has a version on both
/// sides, some are newer and some older, or all are the same and the definitions still differ (a cohort
/// has no version, and neither has a flag that was added or removed).
#[must_use]
pub fn order(a: &[u8], b: &[u8]) -> Option<Ordering> {
    match by_versions(&versions(a)?, &versions(b)?)? {
        Ordering::Equal => {
            let same = a == b || diff(b, a).is_ok_and(|diff| diff.is_empty());
            same.then_some(Ordering::Equal)
        }
        found => Some(found),
    }
}

/// The version of each flag by its id; none where an id is given twice.
pub(crate) type Versions = HashMap<i64, Option<i64>>;

/// As [`order`], by the versions alone: `Equal` if they do not differ.
pub(crate) fn by_versions(versions_a: &Versions, versions_b: &Versions) -> Option<Ordering> {
    let mut found = Ordering::Equal;
    for (id, version) in versions_a {
        let (Some(version), Some(Some(other))) = (version, versions_b.get(id)) else { continue };
        match (found, version.cmp(other)) {
            (_, Ordering::Equal) => {}
            (Ordering::Equal, this) => found = this,
            (before, this) if before == this => {}
            _ => return None,
        }
    }
    Some(found)
}

/// The versions of definitions' flags; `None` if they cannot be read.
pub(crate) fn versions(definitions: &[u8]) -> Option<Versions> {
    let mut versions = HashMap::new();
    for flag in flags(&frame(definitions).ok()?).ok()? {
        note(&mut versions, &members(flag).unwrap_or_default());
    }
    Some(versions)
}

/// Takes in the version of a flag.
pub(crate) fn note(versions: &mut Versions, flag: &[Member<'_>]) {
    let number = |name| get(flag, name).and_then(|value| value.parse::<i64>().ok());
    if let (Some(id), Some(version)) = (number("id"), number("version")) {
        versions.entry(id).and_modify(|known| *known = None).or_insert(Some(version));
    }
}
