//! Property operators: a filter's side compiled once, then asked about a property.

mod canonical;
#[cfg(feature = "compile")]
mod compile;
mod date;
mod exact;
mod number;
mod regex;
mod semver;
mod text;

use date::DateMatch;
use exact::Exact;
use number::Compare;
use regex::RegexMatch;
use semver::SemverMatch;
use text::TextMatch;

use crate::ecma::Host;
use crate::ruleset::Support;
use crate::value::Value;

/// An operator with its filter value.
#[derive(Debug)]
pub(crate) enum Operation {
    IsSet,
    IsNotSet,
    Exact(Exact),
    Text(TextMatch),
    Regex(RegexMatch),
    Compare(Compare),
    Date(DateMatch),
    Semver(SemverMatch),
    /// An operator the reference does not know.
    Unknown,
    /// An operator that has no text, which its complaint about it would hold.
    Throws,
}

/// What a filter says of a present property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Is(bool),
    /// The filter's side cannot be used.
    Unsupported,
    /// The property's side cannot be used.
    Missing,
    /// A regular expression that only the server may decide.
    Uncertain,
    /// The reference throws.
    Throws,
}

impl Support {
    fn of(supported: bool) -> Self {
        if supported { Support::Supported } else { Support::Unsupported }
    }
}

impl Operation {
    /// Asks about a present property.
    ///
    /// PARITY: `matchPropertyValue` (@posthog/core).
    pub(crate) fn matches(&self, property: &Value, now: f64, host: &dyn Host) -> Outcome {
        match (self, property) {
            (Operation::IsSet, _) => Outcome::Is(true),
            (Operation::IsNotSet, _) => Outcome::Is(false),
            (_, Value::Undefined) => Outcome::Unsupported,
            (Operation::Exact(exact), _) => exact.matches(property, host),
            (Operation::Text(text), _) => text.matches(property, host),
            (Operation::Regex(regex), _) => regex.matches(property, host),
            (_, Value::Null) => Outcome::Is(false),
            (Operation::Compare(compare), _) => compare.matches(property, host),
            (Operation::Date(date), _) => date.matches(property, now, host),
            (Operation::Semver(semver), _) => semver.matches(property, host),
            (Operation::Unknown, _) => Outcome::Unsupported,
            (Operation::Throws, _) => Outcome::Throws,
        }
    }
}
