//! `gt`, `gte`, `lt`, `lte`.

use std::cmp::Ordering;

use super::{ORDER_GREATER, ORDER_GREATER_OR_EQUAL, ORDER_LESS, Operation, Outcome};
use crate::context::Asked;
use crate::ecma::compare_utf16;
use crate::ruleset::double;

impl Operation<'_> {
    /// PARITY: `matchPropertyValue`, cases `gt` to `lte` (@posthog/core): numbers if both sides are
    /// finite, else texts by UTF-16 code unit.
    pub(super) fn compare(self, asked: &mut Asked<'_>) -> Outcome {
        let Some([low, high, text @ ..]) = self.view.block::<4>(self.pool_operand()) else {
            return Outcome::Throws;
        };
        let limit = double(low, high);
        let Some(number) = asked.number() else { return Outcome::Throws };
        let ordering = if number.is_finite() && limit.is_finite() {
            number.partial_cmp(&limit).unwrap_or(Ordering::Equal)
        } else {
            let Some(actual) = asked.text() else { return Outcome::Throws };
            compare_utf16(asked.slice(actual), self.view.text(text))
        };
        Outcome::Is(match self.detail() {
            ORDER_GREATER => ordering.is_gt(),
            ORDER_GREATER_OR_EQUAL => ordering.is_ge(),
            ORDER_LESS => ordering.is_lt(),
            _ => ordering.is_le(),
        })
    }
}
