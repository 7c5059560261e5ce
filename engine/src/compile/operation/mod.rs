//! From an operator's name and a filter's value to the operation of a predicate.

mod date;
mod exact;
mod regex;
mod semver;

use super::model::Support;
use crate::ecma::{Host, ascii_lower, text_of};
use crate::operator::{
    DETAIL, NOT, OP_COMPARE, OP_IS_NOT_SET, OP_IS_SET, OP_PART, OP_THROWS, OP_THROWS_AT_NULL,
    OP_UNSUPPORTED, ORDER_GREATER, ORDER_GREATER_OR_EQUAL, ORDER_LESS, ORDER_LESS_OR_EQUAL,
    PLACE_ANYWHERE, PLACE_END, PLACE_START,
};
use crate::text::Text;
use crate::value::Value;
use semver::Comparison;

/// An operator with its filter value.
#[derive(Debug)]
pub(crate) struct Operation {
    /// `OP_*`, [`NOT`] and the detail.
    pub(crate) code: u32,
    pub(crate) operand: Operand,
}

/// What an operation compares with.
#[derive(Debug)]
pub(crate) enum Operand {
    /// What the record itself holds.
    Words([u32; 2]),
    Text(Text),
    /// A list of texts.
    Texts(Vec<String>),
    /// A block of a number and a text.
    Limit(f64, Text),
    /// A block of words.
    Block(Vec<u32>),
}

impl Operation {
    fn new(operation: u32, negate: bool, detail: u32, operand: Operand) -> Self {
        let not = if negate { NOT } else { 0 };
        Operation { code: operation | not | detail << DETAIL, operand }
    }

    fn bare(operation: u32) -> Self {
        Operation::new(operation, false, 0, Operand::Words([0; 2]))
    }

    /// `operator` is the filter's member of that name, if any; anything falsy means `exact`.
    ///
    /// PARITY: `matchPropertyValue`, `assertFeatureFlagFilterSupported` (@posthog/core).
    pub(crate) fn compile(
        operator: Option<&Value>,
        value: &Value,
        version_2: bool,
        host: &dyn Host,
    ) -> (Self, Support) {
        if operator.is_some_and(|operator| text_of(operator, host).is_none()) {
            return (Operation::bare(OP_THROWS), Support::Throws);
        }
        let name = match operator {
            Some(Value::String(name)) if !name.is_empty() => name.as_str().unwrap_or_default(),
            Some(operator) if operator.is_truthy() => "",
            _ => "exact",
        };
        let always = |operation| (operation, Support::Supported);
        let part = |place, negate| always(part(place, negate, value, host));
        let order = |order| always(order_by(order, value, host));
        let version = |comparison| semver::compile(comparison, value, host);
        match name {
            "exact" => exact::compile(false, value, version_2, host),
            "is_not" => exact::compile(true, value, version_2, host),
            "is_set" => always(Operation::bare(OP_IS_SET)),
            "is_not_set" => always(Operation::bare(OP_IS_NOT_SET)),
            "icontains" => part(PLACE_ANYWHERE, false),
            "not_icontains" => part(PLACE_ANYWHERE, true),
            "starts_with" => part(PLACE_START, false),
            "not_starts_with" => part(PLACE_START, true),
            "ends_with" => part(PLACE_END, false),
            "not_ends_with" => part(PLACE_END, true),
            "regex" => always(regex::compile(false, value, host)),
            "not_regex" => always(regex::compile(true, value, host)),
            "gt" => order(ORDER_GREATER),
            "gte" => order(ORDER_GREATER_OR_EQUAL),
            "lt" => order(ORDER_LESS),
            "lte" => order(ORDER_LESS_OR_EQUAL),
            "is_date_before" => date::compile(true, value, host),
            "is_date_after" => date::compile(false, value, host),
            "semver_eq" => version(Comparison::Eq),
            "semver_neq" => version(Comparison::Neq),
            "semver_gt" => version(Comparison::Gt),
            "semver_gte" => version(Comparison::Gte),
            "semver_lt" => version(Comparison::Lt),
            "semver_lte" => version(Comparison::Lte),
            "semver_tilde" => version(Comparison::Tilde),
            "semver_caret" => version(Comparison::Caret),
            "semver_wildcard" => version(Comparison::Wildcard),
            _ => (Operation::bare(OP_UNSUPPORTED), Support::Unsupported),
        }
    }
}

/// `icontains`, `starts_with`, `ends_with` and their `not_` forms.
fn part(place: u32, negate: bool, value: &Value, host: &dyn Host) -> Operation {
    match text_of(value, host) {
        Some(text) => Operation::new(OP_PART, negate, place, Operand::Text(ascii_lower(&text))),
        None => Operation::bare(OP_THROWS_AT_NULL),
    }
}

/// `gt`, `gte`, `lt`, `lte`.
fn order_by(order: u32, value: &Value, host: &dyn Host) -> Operation {
    let Some(text) = text_of(value, host) else { return Operation::bare(OP_THROWS) };
    let number = match value {
        Value::Number(number) => *number,
        _ => host.parse_float(&text.to_str_lossy()),
    };
    Operation::new(OP_COMPARE, false, order, Operand::Limit(number, text))
}

/// What an operation that only some values make possible is without them, and its support.
fn without(supported: Support) -> (Operation, Support) {
    let operation = if supported == Support::Throws { OP_THROWS } else { OP_UNSUPPORTED };
    (Operation::bare(operation), supported)
}

/// A double's words, the low one first.
pub(super) fn words(number: f64) -> [u32; 2] {
    let bits = number.to_bits();
    [bits as u32, (bits >> 32) as u32]
}
