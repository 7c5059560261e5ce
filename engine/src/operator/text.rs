//! `icontains`, `starts_with`, `ends_with` and their `not_` forms.

use super::Outcome;
use crate::ecma::{Host, ascii_lower, contains, ends_with, starts_with, text_of};
use crate::text::Text;
use crate::value::Value;

#[derive(Debug)]
pub(crate) struct TextMatch {
    place: Place,
    negate: bool,
    /// A-Z lowered; `None` if the filter's value has no text (JavaScript throws).
    part: Option<Text>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Anywhere,
    Start,
    End,
}

impl TextMatch {
    pub(crate) fn compile(place: Place, negate: bool, value: &Value, host: &dyn Host) -> Self {
        TextMatch { place, negate, part: text_of(value, host).map(|text| ascii_lower(&text)) }
    }

    /// PARITY: `matchPropertyValue`, cases `icontains` to `not_ends_with` (@posthog/core).
    pub(crate) fn matches(&self, property: &Value, host: &dyn Host) -> Outcome {
        let (Some(part), Some(text)) = (&self.part, text_of(property, host)) else {
            return Outcome::Throws;
        };
        let text = ascii_lower(&text);
        let found = match self.place {
            Place::Anywhere => contains(&text, part),
            Place::Start => starts_with(&text, part),
            Place::End => ends_with(&text, part),
        };
        Outcome::Is(found != self.negate)
    }
}
