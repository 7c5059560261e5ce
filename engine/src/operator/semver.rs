//! The `semver_` operators.

use std::cmp::Ordering;

use super::{Outcome, Support};
use crate::ecma::{Host, text_of, trim};
use crate::value::Value;

/// Major, minor and patch, as doubles: long numbers round as they do in JavaScript.
type Version = [f64; 3];

#[derive(Debug)]
pub(crate) struct SemverMatch {
    range: Range,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum SemverOperator {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Tilde,
    Caret,
    Wildcard,
}

#[derive(Debug)]
enum Range {
    Compare(SemverOperator, Version),
    /// From the first up to, not including, the second.
    Within(Version, Version),
    Unsupported,
    Throws,
}

impl SemverMatch {
    /// PARITY: `parseFeatureFlagSemver`, `computeTildeBounds`, `computeCaretBounds`,
    /// `computeWildcardBounds` under the strict policy (@posthog/core).
    pub(crate) fn compile(
        operator: SemverOperator,
        value: &Value,
        host: &dyn Host,
    ) -> (Self, Support) {
        let range = match text_of(value, host) {
            None => Range::Throws,
            Some(text) => range(operator, &text.to_str_lossy(), host).unwrap_or(Range::Unsupported),
        };
        let support = match range {
            Range::Compare(..) | Range::Within(..) => Support::Supported,
            Range::Unsupported => Support::Unsupported,
            Range::Throws => Support::Throws,
        };
        (SemverMatch { range }, support)
    }

    /// PARITY: `matchPropertyValue`, cases `semver_eq` to `semver_wildcard` (@posthog/core).
    pub(crate) fn matches(&self, property: &Value, host: &dyn Host) -> Outcome {
        match self.range {
            Range::Unsupported => return Outcome::Unsupported,
            Range::Throws => return Outcome::Throws,
            Range::Compare(..) | Range::Within(..) => {}
        }
        let Some(text) = text_of(property, host) else { return Outcome::Throws };
        let Some(version) = parse(&text.to_str_lossy(), host) else { return Outcome::Missing };
        Outcome::Is(match &self.range {
            Range::Within(lower, upper) => {
                compare(&version, lower).is_ge() && compare(&version, upper).is_lt()
            }
            Range::Compare(operator, limit) => {
                let ordering = compare(&version, limit);
                match operator {
                    SemverOperator::Neq => ordering.is_ne(),
                    SemverOperator::Gt => ordering.is_gt(),
                    SemverOperator::Gte => ordering.is_ge(),
                    SemverOperator::Lt => ordering.is_lt(),
                    SemverOperator::Lte => ordering.is_le(),
                    _ => ordering.is_eq(),
                }
            }
            Range::Unsupported | Range::Throws => false,
        })
    }
}

fn range(operator: SemverOperator, text: &str, host: &dyn Host) -> Option<Range> {
    if let SemverOperator::Wildcard = operator {
        return wildcard(text, host);
    }
    let version @ [major, minor, patch] = parse(text, host)?;
    Some(match operator {
        SemverOperator::Tilde => Range::Within(version, [major, minor + 1.0, 0.0]),
        SemverOperator::Caret if major > 0.0 => Range::Within(version, [major + 1.0, 0.0, 0.0]),
        SemverOperator::Caret if minor > 0.0 => Range::Within(version, [0.0, minor + 1.0, 0.0]),
        SemverOperator::Caret => Range::Within(version, [0.0, 0.0, patch + 1.0]),
        _ => Range::Compare(operator, version),
    })
}

fn wildcard(text: &str, host: &dyn Host) -> Option<Range> {
    let text = without_v(text);
    let text = text.strip_suffix(".*").unwrap_or(text);
    let text = text.strip_suffix('*').unwrap_or(text);
    let mut parts = text.split('.');
    let major = digits(parts.next()?, host)?;
    Some(match parts.next() {
        None => Range::Within([major, 0.0, 0.0], [major + 1.0, 0.0, 0.0]),
        Some(part) => {
            let minor = digits(part, host)?;
            Range::Within([major, minor, 0.0], [major, minor + 1.0, 0.0])
        }
    })
}

/// Prerelease and build are cut off; parts from the fourth on are not looked at.
fn parse(text: &str, host: &dyn Host) -> Option<Version> {
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

fn without_v(text: &str) -> &str {
    let text = trim(text);
    text.strip_prefix(['v', 'V']).unwrap_or(text)
}

/// ASCII digits without a leading zero.
fn digits(part: &str, host: &dyn Host) -> Option<f64> {
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
