//! `gt`, `gte`, `lt`, `lte`.

use std::cmp::Ordering;

use super::Outcome;
use crate::ecma::{Host, compare_utf16, text_of};
use crate::text::Text;
use crate::value::Value;

#[derive(Debug)]
pub(crate) struct Compare {
    order: Order,
    /// The filter's number (NaN if it has none) and text; `None` if JavaScript throws.
    limit: Option<(f64, Text)>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Order::Greater => ordering.is_gt(),
            Order::GreaterOrEqual => ordering.is_ge(),
            Order::Less => ordering.is_lt(),
            Order::LessOrEqual => ordering.is_le(),
        }
    }
}

impl Compare {
    pub(crate) fn compile(order: Order, value: &Value, host: &dyn Host) -> Self {
        Compare { order, limit: number_and_text(value, host) }
    }

    /// PARITY: `matchPropertyValue`, cases `gt` to `lte` (@posthog/core): numbers if both sides are
    /// finite, else texts by UTF-16 code unit.
    pub(crate) fn matches(&self, property: &Value, host: &dyn Host) -> Outcome {
        let (Some((limit, limit_text)), Some((number, text))) =
            (&self.limit, number_and_text(property, host))
        else {
            return Outcome::Throws;
        };
        let ordering = if number.is_finite() && limit.is_finite() {
            number.partial_cmp(limit).unwrap_or(Ordering::Equal)
        } else {
            compare_utf16(&text, limit_text)
        };
        Outcome::Is(self.order.holds(ordering))
    }
}

fn number_and_text(value: &Value, host: &dyn Host) -> Option<(f64, Text)> {
    let text = text_of(value, host)?;
    let number = match value {
        Value::Number(number) => *number,
        _ => host.parse_float(&text.to_str_lossy()),
    };
    Some((number, text))
}
