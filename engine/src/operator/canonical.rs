//! Canonical text: how `exact` and `is_not` compare values of any kind.

use crate::ecma::{Host, lower};
use crate::json::write_string;
use crate::members::Member;
use crate::text::Text;
use crate::value::Value;

/// The canonical text of a value, lower-cased, or `None` where the reference refuses: integral
/// numbers (JSON cannot tell `1` from `1.0`), NaN and infinities, lone surrogates, anything not JSON.
///
/// PARITY: `exactMatchString`, `serializeJsonValue` (@posthog/core).
pub(crate) fn canonical_lower(value: &Value, host: &(impl Host + ?Sized)) -> Option<Box<str>> {
    if let Value::String(text) = value {
        return Some(lower(text.as_str()?, host).into());
    }
    let mut out = String::new();
    write(value, host, &mut out)?;
    Some(lower(&out, host).into())
}

fn write(value: &Value, host: &(impl Host + ?Sized), out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) if number.is_finite() && number.fract() != 0.0 => {
            out.push_str(&host.number_to_string(*number));
        }
        Value::String(text) => write_text(text, out)?,
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, host, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, Member { name, value }) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, out)?;
                out.push(':');
                write(value, host, out)?;
            }
            out.push('}');
        }
        Value::Styled { value, .. } => write(value, host, out)?,
        Value::Number(_)
        | Value::Undefined
        | Value::Date { .. }
        | Value::Exotic(_)
        | Value::Symbol(_) => return None,
    }
    Some(())
}

fn write_text(text: &Text, out: &mut String) -> Option<()> {
    write_string(text.as_str()?, out);
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
