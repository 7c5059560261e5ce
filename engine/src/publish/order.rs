//! Which of two definitions is newer, by the version numbers PostHog gives each flag.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

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
    let (a, b) = (versions(a), versions(b));
    let mut found = Ordering::Equal;
    for (id, _) in &a {
        let (Some(version), Some(other)) = (only(&a, *id), only(&b, *id)) else { continue };
        match (found, version.cmp(&other)) {
            (_, Ordering::Equal) => {}
            (Ordering::Equal, this) => found = this,
            (before, this) if before == this => {}
            _ => return None,
        }
    }
    Some(found)
}

/// Ids and versions, by rising id.
fn versions(flags: &[Listed]) -> Vec<(i64, i64)> {
    let versions = flags.iter().filter_map(|flag| Some((flag.id?, flag.version?)));
    // A heap sorts in little code: this is part of a module that is sent.
    versions.collect::<BinaryHeap<_>>().into_sorted_vec()
}

/// The version of an id; none where it is given twice.
fn only(versions: &[(i64, i64)], id: i64) -> Option<i64> {
    let start = versions.partition_point(|(it, _)| *it < id);
    let mut found = versions.get(start..)?.iter().take_while(|(it, _)| *it == id);
    let (_, version) = found.next()?;
    found.next().is_none().then_some(*version)
}
