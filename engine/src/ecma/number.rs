//! Numbers from values.

#[cfg(feature = "compile")]
use super::{Host, text_of};
#[cfg(feature = "compile")]
use crate::value::Value;

/// `Number(value)`, or `None` where JavaScript throws.
#[cfg(feature = "compile")]
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

/// Digits that a double keeps.
const EXACT_DIGITS: usize = 15;

/// `parseFloat` of texts that are nothing but a short decimal number; `None` of all others.
pub(crate) fn plain_number(text: &[u8]) -> Option<f64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (mut value, mut count, mut scale) = (0_u64, 0, 1.0);
    let mut fraction = false;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                count += 1;
                if fraction {
                    scale *= 10.0;
                }
            }
            b'.' if !fraction && count > 0 => fraction = true,
            _ => return None,
        }
        if count > EXACT_DIGITS {
            return None;
        }
    }
    // Both are exact, so that the quotient is the nearest double.
    let number = value as f64 / scale;
    (count > 0).then(|| if digits.len() == text.len() { number } else { -number })
}
