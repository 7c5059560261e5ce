//! Which of two definitions is newer, by the version numbers PostHog gives each flag.

use std::cmp::Ordering;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::publish;

use crate::diff::diff;

/// Whether definitions `a` are newer (`Greater`) or older (`Less`) than `b`, or the same (`Equal`).
///
/// Told by [`publish::order`]. `None` also where no flag has a version on both sides or all are the same, and
/// the definitions still differ: a cohort has no version, and neither has a flag that was added or removed.
#[must_use]
pub fn order(a: &[u8], b: &[u8]) -> Option<Ordering> {
    match publish::order(a, b, &NativeHost::default())? {
        Ordering::Equal => {
            let same = a == b || diff(b, a).is_ok_and(|diff| diff.is_empty());
            same.then_some(Ordering::Equal)
        }
        found => Some(found),
    }
}
