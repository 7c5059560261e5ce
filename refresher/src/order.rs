//! Which of two definitions is newer, by the version numbers PostHog gives each flag.

use std::borrow::Cow;
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
    match by_versions(&listed(a)?, &listed(b)?)? {
        Ordering::Equal => {
            let same = a == b || diff(b, a).is_ok_and(|diff| diff.is_empty());
            same.then_some(Ordering::Equal)
        }
        found => Some(found),
    }
}

/// As [`order`], by the versions alone: `Equal` if they do not differ.
pub(crate) fn by_versions(a: &[Listed<'_>], b: &[Listed<'_>]) -> Option<Ordering> {
    let (versions_a, versions_b) = (versions(a), versions(b));
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

/// What is told of a flag without understanding it.
#[derive(Deserialize)]
pub(crate) struct Listed<'a> {
    #[serde(borrow)]
    pub(crate) key: Option<Cow<'a, str>>,
    id: Option<i64>,
    version: Option<i64>,
}

#[derive(Deserialize)]
struct Definitions<T> {
    flags: Vec<T>,
}

/// The flags of definitions, without those of another shape; `None` if the definitions cannot be read.
/// What is not asked for is only passed over: once, unless a flag is odd.
pub(crate) fn listed(definitions: &[u8]) -> Option<Vec<Listed<'_>>> {
    if let Ok(read) = serde_json::from_slice::<Definitions<Listed<'_>>>(definitions) {
        return Some(read.flags);
    }
    let read: Definitions<&RawValue> = serde_json::from_slice(definitions).ok()?;
    Some(read.flags.into_iter().filter_map(|flag| serde_json::from_str(flag.get()).ok()).collect())
}

/// The version of each flag by its id; none where an id is given twice.
fn versions(flags: &[Listed<'_>]) -> HashMap<i64, Option<i64>> {
    let mut versions = HashMap::with_capacity(flags.len());
    for flag in flags {
        if let (Some(id), Some(version)) = (flag.id, flag.version) {
            versions.entry(id).and_modify(|known| *known = None).or_insert(Some(version));
        }
    }
    versions
}
