//! Which of two definitions is newer, by the version numbers PostHog gives each flag.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::listed::{Listed, listed};
use crate::ecma::Host;

/// Whether definitions `a` are newer (`Greater`) or older (`Less`) than `b`; `Equal` if the versions do
/// not differ, whatever else does.
///
/// Told by the flags that both hold, found by their `id`: PostHog counts a flag's `version` up with every
/// change of it. `None` where they do not tell: one side cannot be read, or some are newer and some older.
#[must_use]
pub fn order(a: &[u8], b: &[u8], host: &dyn Host) -> Option<Ordering> {
    by_versions(&listed(a, host)?, &listed(b, host)?)
}

/// As [`order`], of flags that are listed already.
pub(super) fn by_versions(a: &[Listed], b: &[Listed]) -> Option<Ordering> {
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

/// The version of each flag by its id; none where an id is given twice.
fn versions(flags: &[Listed]) -> BTreeMap<i64, Option<i64>> {
    let mut versions = BTreeMap::new();
    for flag in flags {
        if let (Some(id), Some(version)) = (flag.id, flag.version) {
            versions.entry(id).and_modify(|known| *known = None).or_insert(Some(version));
        }
    }
    versions
}
