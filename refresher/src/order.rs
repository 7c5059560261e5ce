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
    match by_versions(a, b)? {
        Ordering::Equal => {
            let same = a == b || diff(b, a).is_ok_and(|diff| diff.is_empty());
            same.then_some(Ordering::Equal)
        }
        found => Some(found),
    }
}

/// As [`order`], by the versions alone: `Equal` if they do not differ.
pub(crate) fn by_versions(a: &[u8], b: &[u8]) -> Option<Ordering> {
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
    Some(found)
}

/// What of definitions is read here.
#[derive(Deserialize)]
struct Definitions<'a> {
    #[serde(borrow)]
    flags: Vec<&'a RawValue>,
}

/// The flags of definitions as far as `T` tells, without those it does not fit; `None` if the
/// definitions cannot be read. What `T` does not name is only passed over, which is quick.
pub(crate) fn skim<'a, T: Deserialize<'a>>(definitions: &'a [u8]) -> Option<Vec<T>> {
    let definitions: Definitions<'a> = serde_json::from_slice(definitions).ok()?;
    let flags = definitions.flags.into_iter();
    Some(flags.filter_map(|flag| serde_json::from_str(flag.get()).ok()).collect())
}

/// The version of each flag by its id; none where an id is given twice.
fn versions(definitions: &[u8]) -> Option<HashMap<i64, Option<i64>>> {
    #[derive(Deserialize)]
    struct Flag {
        id: i64,
        version: i64,
    }
    let flags: Vec<Flag> = skim(definitions)?;
    let mut versions = HashMap::with_capacity(flags.len());
    for Flag { id, version } in flags {
        versions.entry(id).and_modify(|known| *known = None).or_insert(Some(version));
    }
    Some(versions)
}
