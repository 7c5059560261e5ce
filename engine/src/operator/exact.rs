//! `exact` and `is_not`.

use super::canonical::{canonical_lower, is_json};
use super::{Outcome, Support};
use crate::ecma::Host;
use crate::value::Value;

#[derive(Debug)]
pub(crate) struct Exact {
    pub(crate) negate: bool,
    target: Target,
}

/// The filter's side, decided as far as it can be without the property.
#[derive(Debug)]
enum Target {
    /// Compare truths: a boolean-like filter under legacy matching, or an empty list.
    Truth(bool),
    /// A boolean-like filter under matching version 2: a number never equals it.
    BooleanLike(Texts),
    Texts(Texts),
}

/// Canonical texts; `None` marks one the reference refuses to write.
#[derive(Debug)]
enum Texts {
    One(Option<Box<str>>),
    Any(Vec<Option<Box<str>>>),
}

impl Exact {
    /// PARITY: `computeExactMatch`, filter side (@posthog/core).
    pub(crate) fn compile(
        negate: bool,
        value: &Value,
        version_2: bool,
        host: &dyn Host,
    ) -> (Self, Support) {
        let texts = match value {
            Value::Array(items) => {
                Texts::Any(items.iter().map(|item| canonical_lower(item, host)).collect())
            }
            _ => Texts::One(canonical_lower(value, host)),
        };
        let support = match &texts {
            Texts::One(text) => Support::of(text.is_some()),
            Texts::Any(texts) => Support::of(texts.iter().all(Option::is_some)),
        };
        let empty_list = matches!(value, Value::Array(items) if items.is_empty());
        let target = match (is_boolean_like(value), version_2) {
            (true, false) => Target::Truth(truth(value)),
            (true, true) if empty_list => Target::Truth(true),
            (true, true) => Target::BooleanLike(texts),
            (false, _) => Target::Texts(texts),
        };
        (Exact { negate, target }, support)
    }

    /// PARITY: `computeExactMatch` (@posthog/core).
    pub(crate) fn matches(&self, property: &Value, host: &dyn Host) -> Outcome {
        match &self.target {
            Target::Truth(expected) if is_json(property) => {
                Outcome::Is((*expected == truth(property)) != self.negate)
            }
            Target::Truth(_) => Outcome::Missing,
            Target::BooleanLike(_) if matches!(property, Value::Number(number) if number.is_finite()) => {
                Outcome::Is(self.negate)
            }
            Target::BooleanLike(_) if matches!(property, Value::Number(_)) => Outcome::Missing,
            Target::BooleanLike(texts) | Target::Texts(texts) => {
                self.compare(texts, property, host)
            }
        }
    }

    fn compare(&self, texts: &Texts, property: &Value, host: &dyn Host) -> Outcome {
        let equal = match texts {
            Texts::One(None) => return Outcome::Unsupported,
            Texts::One(Some(expected)) => match canonical_lower(property, host) {
                None => return Outcome::Missing,
                Some(actual) => *expected == actual,
            },
            Texts::Any(texts) => {
                let Some(actual) = canonical_lower(property, host) else { return Outcome::Missing };
                // A text the reference refuses stops it only when the list is read that far.
                match texts.iter().find(|text| text.as_ref().is_none_or(|text| *text == actual)) {
                    Some(None) => return Outcome::Unsupported,
                    found => found.is_some(),
                }
            }
        };
        Outcome::Is(equal != self.negate)
    }
}

/// PARITY: `isTruthyOrFalsyPropertyValue` (@posthog/core).
fn is_boolean_like(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::String(text) => {
            text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false")
        }
        Value::Array(items) => items.iter().all(is_boolean_like),
        _ => false,
    }
}

/// PARITY: `isTruthyPropertyValue` (@posthog/core).
fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        // No other character lower-cases to one of these letters, so ASCII case is full case here.
        Value::String(text) => text.eq_ignore_ascii_case(b"true"),
        Value::Array(items) => items.iter().all(truth),
        Value::Styled { value, .. } => truth(value),
        _ => false,
    }
}
