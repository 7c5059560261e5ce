//! Canonical text: how `exact` and `is_not` compare values of any kind.

use crate::ecma::Host;
use crate::json::write_string;
use crate::members::Member;
use crate::text::Text;
use crate::value::Value;

/// The canonical text of a value, lower-cased, or `None` where the reference refuses: integral
/// numbers (JSON cannot tell `1` from `1.0`), NaN and infinities, lone surrogates, anything not JSON.
///
/// PARITY: `exactMatchString`, `serializeJsonValue` (@posthog/core).
pub(crate) fn canonical_lower(value: &Value, host: &(impl Host + ?Sized)) -> Option<String> {
    let mut out = Vec::new();
    match value {
        Value::String(text) => out.extend_from_slice(text),
        value => write(value, host, &mut out)?,
    }
    let mut text = String::from_utf8(out).ok()?;
    if text.is_ascii() {
        text.make_ascii_lowercase();
        Some(text)
    } else {
        Some(host.to_lower_case(&text))
    }
}

fn write(value: &Value, host: &(impl Host + ?Sized), out: &mut Vec<u8>) -> Option<()> {
    let text = match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(number) if number.is_finite() && number.fract() != 0.0 => {
            &host.number_to_string(*number)
        }
        Value::String(text) => return write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, host, out)?;
            }
            "]"
        }
        Value::Object(members) => {
            out.push(b'{');
            for (index, Member { name, value }) in members.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(name, out)?;
                out.push(b':');
                write(value, host, out)?;
            }
            "}"
        }
        Value::Styled { value, .. } => return write(value, host, out),
        Value::Number(_)
        | Value::Undefined
        | Value::Date { .. }
        | Value::Exotic(_)
        | Value::Symbol(_) => return None,
    };
    out.extend_from_slice(text.as_bytes());
    Some(())
}

fn write_text(text: &Text, out: &mut Vec<u8>) -> Option<()> {
    text.as_str()?;
    write_string(text, out);
    Some(())
}

/// Whether a value can stand in JSON at all; integers can.
///
/// PARITY: `assertJsonRepresentable` (@posthog/core).
pub(crate) fn is_json(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.is_finite(),
        Value::String(text) => text.as_str().is_some(),
        Value::Array(items) => items.iter().all(is_json),
        Value::Object(members) => {
            members.iter().all(|member| member.name.as_str().is_some() && is_json(&member.value))
        }
        Value::Styled { value, .. } => is_json(value),
        Value::Undefined | Value::Date { .. } | Value::Exotic(_) | Value::Symbol(_) => false,
    }
}
