//! The `semver_` operators.

use std::cmp::Ordering;

use super::{
    Operation, Outcome, VERSION_GT, VERSION_GTE, VERSION_LT, VERSION_LTE, VERSION_NEQ,
    VERSION_WITHIN,
};
use crate::context::Asked;
use crate::ecma::{Host, plain_number, trim};
use crate::ruleset::{Word, double};

/// Major, minor and patch, as doubles: long numbers round as they do in JavaScript.
pub(crate) type Version = [f64; 3];

impl Operation<'_> {
    /// PARITY: `matchPropertyValue`, cases `semver_eq` to `semver_wildcard` (@posthog/core).
    pub(super) fn version(self, asked: &mut Asked<'_, impl Host + ?Sized>) -> Outcome {
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
    #[inline(never)]
    fn limit(self, words: u32) -> Option<Version> {
        let block: &[Word; 6] = self.view.block(self.pool_operand().saturating_add(words))?;
        let [a, b, c, d, e, f] = block;
        Some([double(a, b), double(c, d), double(e, f)])
    }
}

/// The version that WTF-8 spells.
///
/// PARITY: `parseFeatureFlagSemver` under the strict policy (@posthog/core).
///
/// Prerelease and build are cut off; parts from the fourth on are not looked at.
pub(crate) fn parse(text: &[u8], host: &(impl Host + ?Sized)) -> Option<Version> {
    let mut text = without_v(text);
    if let Some(end) = text.iter().position(|byte| matches!(byte, b'-' | b'+')) {
        text = text.get(..end)?;
    }
    if matches!(text, [] | [b'.', ..]) {
        return None;
    }
    let mut version = [0.0; 3];
    for number in &mut version {
        let end = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
        let (part, rest) = text.split_at_checked(end)?;
        if !part.is_empty() {
            *number = digits(part, host)?;
        }
        text = rest.get(1..).unwrap_or_default();
    }
    Some(version)
}

pub(crate) fn without_v(text: &[u8]) -> &[u8] {
    match trim(text) {
        [b'v' | b'V', text @ ..] => text,
        text => text,
    }
}

/// ASCII digits without a leading zero.
#[inline(never)]
pub(crate) fn digits(part: &[u8], host: &(impl Host + ?Sized)) -> Option<f64> {
    if matches!(part, [] | [b'0', _, ..]) || !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    plain_number(part).or_else(|| Some(host.parse_float(str::from_utf8(part).ok()?)))
}

fn compare(left: &Version, right: &Version) -> Ordering {
    left.partial_cmp(right).unwrap_or(Ordering::Equal)
}
