//! Numbers from values.

use super::Host;
use super::text::text_of;
use crate::value::Value;

/// `Number(value)`, or `None` where JavaScript throws.
pub(crate) fn to_number(value: &Value, host: &dyn Host) -> Option<f64> {
    Some(match value {
        Value::Number(number) => *number,
        Value::Null | Value::Bool(false) => 0.0,
        Value::Bool(true) => 1.0,
        Value::Undefined => f64::NAN,
        Value::Date { ms, .. } => *ms,
        _ => host.to_number(&text_of(value, host)?.to_str_lossy()),
    })
}
