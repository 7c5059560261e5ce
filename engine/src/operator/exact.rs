//! `exact` and `is_not`.

use super::{ONE_TEXT, Operation, Outcome, REFUSED_TEXT};
use crate::context::Asked;
use crate::value::Value;

impl Operation<'_> {
    /// A boolean-like filter under legacy matching, or an empty list.
    ///
    /// PARITY: `computeExactMatch` (@posthog/core).
    pub(super) fn truth(self, asked: &Asked<'_>) -> Outcome {
        if !asked.is_json() {
            return Outcome::Missing;
        }
        let expected = self.detail() != 0;
        Outcome::Is((expected == asked.truth()) != self.is_negated())
    }

    /// PARITY: `computeExactMatch` (@posthog/core).
    pub(super) fn texts(self, asked: &mut Asked<'_>) -> Outcome {
        let refused = self.detail() & REFUSED_TEXT != 0;
        if self.detail() == ONE_TEXT | REFUSED_TEXT {
            return Outcome::Unsupported;
        }
        let Some(actual) = asked.lower() else { return Outcome::Missing };
        let actual = asked.slice(actual);
        let texts = self.view.list::<2>(self.pool_operand()).unwrap_or_default();
        let found = texts.binary_search_by(|text| self.view.text(text).cmp(actual)).is_ok();
        // A text the reference refuses stops it only when the list is read that far.
        if refused && !found {
            return Outcome::Unsupported;
        }
        Outcome::Is(found != self.is_negated())
    }
}

/// PARITY: `isTruthyPropertyValue` (@posthog/core).
pub(crate) fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        // No other character lower-cases to one of these letters, so ASCII case is full case here.
        Value::String(text) => text.eq_ignore_ascii_case(b"true"),
        Value::Array(items) => items.iter().all(truth),
        Value::Styled { value, .. } => truth(value),
        _ => false,
    }
}
