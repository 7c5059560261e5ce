//! `is_date_before` and `is_date_after`.

use super::{DATE_ABSOLUTE, DATE_BEFORE, DATE_KIND, DATE_RELATIVE, Operation, Outcome};
use crate::context::Asked;
use crate::ecma::{RelativeDate, Unit, time_of_text};
use crate::ruleset::{double, word};

impl Operation<'_> {
    /// PARITY: `parseDateFilter` and `matchPropertyValue`, cases `is_date_before` and `is_date_after`
    /// (@posthog/core).
    pub(super) fn date(self, asked: &mut Asked<'_>, now: f64) -> Outcome {
        let [first, second] = self.operands;
        let limit = match self.detail() & DATE_KIND {
            DATE_RELATIVE => {
                let unit = Unit::ALL.get(word(second) as usize);
                unit.map(|unit| RelativeDate { count: word(first), unit: *unit }.before(now))
            }
            DATE_ABSOLUTE => Some(double(first, second)),
            // Without an offset a date's time depends on where the host is.
            _ => time_of_text(self.text_operand(), asked.host),
        };
        let Some(limit) = limit else { return Outcome::Unsupported };
        let Some(time) = asked.time() else {
            // The reference's complaint about it holds its text.
            let throws = asked.has_no_template_text();
            return if throws { Outcome::Throws } else { Outcome::Missing };
        };
        let before = self.detail() & DATE_BEFORE != 0;
        Outcome::Is(if before { time < limit } else { time > limit })
    }
}
