//! `icontains`, `starts_with`, `ends_with` and their `not_` forms.

use super::{Operation, Outcome, PLACE_END, PLACE_START};
use crate::context::Asked;
use crate::ecma::{contains, ends_with, starts_with};

impl Operation<'_> {
    /// PARITY: `matchPropertyValue`, cases `icontains` to `not_ends_with` (@posthog/core).
    pub(super) fn part(self, asked: &mut Asked<'_>) -> Outcome {
        let Some(text) = asked.ascii_lower() else { return Outcome::Throws };
        let (text, part) = (asked.slice(text), self.text_operand());
        let found = match self.detail() {
            PLACE_START => starts_with(text, part),
            PLACE_END => ends_with(text, part),
            _ => contains(text, part),
        };
        Outcome::Is(found != self.is_negated())
    }
}
