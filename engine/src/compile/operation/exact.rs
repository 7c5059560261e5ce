//! `exact` and `is_not`.

use super::{Operand, Operation, Support};
use crate::ecma::Host;
use crate::operator::{
    ONE_TEXT, OP_BOOLEAN_LIKE, OP_TEXTS, OP_TRUTH, REFUSED_TEXT, canonical_lower, truth,
};
use crate::value::Value;

/// PARITY: `computeExactMatch`, filter side (@posthog/core).
pub(super) fn compile(
    negate: bool,
    value: &Value,
    version_2: bool,
    host: &dyn Host,
) -> (Operation, Support) {
    let texts: Vec<Option<String>> = match value {
        Value::Array(items) => items.iter().map(|item| canonical_lower(item, host)).collect(),
        _ => vec![canonical_lower(value, host)],
    };
    let support = Support::of(texts.iter().all(Option::is_some));
    let empty_list = matches!(value, Value::Array(items) if items.is_empty());
    let truths =
        |expected| Operation::new(OP_TRUTH, negate, u32::from(expected), Operand::Words([0; 2]));
    let operation = match (is_boolean_like(value), version_2) {
        (true, false) => truths(truth(value)),
        (true, true) if empty_list => truths(true),
        (true, true) => among(OP_BOOLEAN_LIKE, negate, value, texts),
        (false, _) => among(OP_TEXTS, negate, value, texts),
    };
    (operation, support)
}

fn among(operation: u32, negate: bool, value: &Value, texts: Vec<Option<String>>) -> Operation {
    let count = texts.len();
    // What stands behind a text that the reference refuses is never looked at.
    let mut texts: Vec<String> = texts.into_iter().map_while(|text| text).collect();
    let refused = if texts.len() < count { REFUSED_TEXT } else { 0 };
    let one = if matches!(value, Value::Array(_)) { 0 } else { ONE_TEXT };
    texts.sort_unstable();
    texts.dedup();
    Operation::new(operation, negate, one | refused, Operand::Texts(texts))
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
