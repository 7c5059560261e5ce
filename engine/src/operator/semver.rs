//! The `semver_` operators.

use std::cmp::Ordering;

use super::{
    Operation, Outcome, VERSION_GT, VERSION_GTE, VERSION_LT, VERSION_LTE, VERSION_NEQ,
    VERSION_WITHIN,
};
use crate::context::Asked;
use crate::ecma::{Host, trim};
use crate::ruleset::{Word, double};

/// Major, minor and patch, as doubles: long numbers round as they do in JavaScript.
pub(crate) type Version = [f64; 3];

impl Operation<'_> {
    /// PARITY: `matchPropertyValue`, cases `semver_eq` to `semver_wildcard` (@posthog/core).
    pub(super) fn version(self, asked: &mut Asked<'_>) -> Outcome {
        let Some(text) = asked.text() else { return Outcome::Throws };
        let Some(version) = asked.version(text) else { return Outcome::Missing };
        let Some(limit) = self.limit(0) else { return Outcome::Unsupported };
        let ordering = compare(&version, &limit);
        Outcome::Is(match self.detail() {
            VERSION_NEQ => ordering.is_ne(),
            VERSION_GT => ordering.is_gt(),
            VERSION_GTE => ordering.is_ge(),
            VERSION_LT => ordering.is_lt(),
            VERSION_LTE => ordering.is_le(),
            VERSION_WITHIN => {
                let upper = self.limit(6);
                ordering.is_ge() && upper.is_some_and(|upper| compare(&version, &upper).is_lt())
            }
            _ => ordering.is_eq(),
        })
    }

    /// A version of the block that the operand refers to, so many words behind its start.
    fn limit(self, words: u32) -> Option<Version> {
        let block: &[Word; 6] = self.view.block(self.pool_operand().saturating_add(words))?;
        let [a, b, c, d, e, f] = block;
        Some([double(a, b), double(c, d), double(e, f)])
    }
}

/// PARITY: `parseFeatureFlagSemver` under the strict policy (@posthog/core).
///
/// Prerelease and build are cut off; parts from the fourth on are not looked at.
pub(crate) fn parse(text: &str, host: &dyn Host) -> Option<Version> {
    let text = without_v(text);
    let text = text.split_once('-').map_or(text, |(base, _)| base);
    let text = text.split_once('+').map_or(text, |(base, _)| base);
    if text.is_empty() || text.starts_with('.') {
        return None;
    }
    let mut parts = text.split('.');
    let mut part = || match parts.next() {
        None | Some("") => Some(0.0),
        Some(part) => digits(part, host),
    };
    Some([part()?, part()?, part()?])
}

pub(crate) fn without_v(text: &str) -> &str {
    let text = trim(text);
    text.strip_prefix(['v', 'V']).unwrap_or(text)
}

/// ASCII digits without a leading zero.
pub(crate) fn digits(part: &str, host: &dyn Host) -> Option<f64> {
    let zero_led = part.len() > 1 && part.starts_with('0');
    if part.is_empty() || zero_led || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Up to 15 digits a double is exact.
    if part.len() <= 15 {
        part.parse::<u64>().ok().map(|number| number as f64)
    } else {
        Some(host.parse_float(part))
    }
}

fn compare(left: &Version, right: &Version) -> Ordering {
    left.partial_cmp(right).unwrap_or(Ordering::Equal)
}
