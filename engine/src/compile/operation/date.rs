//! `is_date_before` and `is_date_after`.

use super::{Operand, Operation, Support, without, words};
use crate::ecma::{Host, RelativeDate, iso_time, text_of, time_clip, time_of_text};
use crate::operator::{DATE_ABSOLUTE, DATE_BEFORE, DATE_RELATIVE, DATE_TEXT, OP_DATE};
use crate::value::Value;

/// A text whose time depends on the host, for want of an offset or because it is no ISO date, stays a text.
///
/// PARITY: `parseDateFilter` (@posthog/core).
pub(super) fn compile(before: bool, value: &Value, host: &dyn Host) -> (Operation, Support) {
    if let Value::Bool(_) = value {
        return without(Support::Unsupported);
    }
    let Some(text) = text_of(value, host) else { return without(Support::Throws) };
    let relative = text.as_str().and_then(RelativeDate::parse);
    let (kind, operand) = match (relative, value) {
        (Some(RelativeDate { count, unit }), _) => {
            (DATE_RELATIVE, Operand::Words([count, unit as u32]))
        }
        (None, Value::Number(ms)) if !time_clip(*ms).is_nan() => {
            (DATE_ABSOLUTE, Operand::Words(words(time_clip(*ms))))
        }
        (None, Value::String(_)) => match iso_time(&text) {
            Some(time) => (DATE_ABSOLUTE, Operand::Words(words(time))),
            None if time_of_text(&text, host).is_some() => (DATE_TEXT, Operand::Text(text)),
            None => return without(Support::Unsupported),
        },
        _ => return without(Support::Unsupported),
    };
    let before = if before { DATE_BEFORE } else { 0 };
    (Operation::new(OP_DATE, false, kind | before, operand), Support::Supported)
}
