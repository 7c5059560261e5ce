//! JSON as JavaScript reads it.
//!
//! `serde_json` reads a text in one go. What it refuses and `JSON.parse` takes (lone surrogates,
//! numbers beyond the range of a double, more than 128 levels) is read again value by value.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::text::Text;
use crate::value::Value;

/// Levels of nesting that are read; deeper values are refused.
const MAX_DEPTH: usize = 500;

/// Reads one JSON value.
///
/// # Errors
/// [`Error::is_json`] when the text is not JSON or is nested deeper than 500 levels.
pub(crate) fn parse(text: &str) -> Result<Value, Error> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) => {
            let raw: &RawValue = serde_json::from_str(text).map_err(|_| not_json(&error))?;
            parse_raw(raw, 0).map_err(|nested| {
                Error::json(nested.unwrap_or_else(|| not_json(&error).to_string()))
            })
        }
    }
}

/// The members of an object, unread, in their order; a repeated name stands as often as it was written.
pub(crate) fn members(text: &str) -> Result<Vec<(Text, &RawValue)>, Error> {
    serde_json::from_str(text).map(|Members(members)| members).map_err(|error| not_json(&error))
}

/// The elements of an array, unread.
pub(crate) fn elements(text: &str) -> Result<Vec<&RawValue>, Error> {
    serde_json::from_str(text).map_err(|error| not_json(&error))
}

fn not_json(error: &serde_json::Error) -> Error {
    // The position only: the text itself may hold what must not be printed.
    Error::json(format!("not JSON at line {} column {}", error.line(), error.column()))
}

/// `Err(None)` where the text breaks a rule that the first reading has named already.
fn parse_raw(raw: &RawValue, depth: usize) -> Result<Value, Option<String>> {
    if depth > MAX_DEPTH {
        return Err(Some(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let mut object = BTreeMap::new();
            for (key, member) in members(text).map_err(|_| None)? {
                object.insert(key, parse_raw(member, depth + 1)?);
            }
            Ok(Value::Object(object))
        }
        Some(b'[') => {
            let items = elements(text).map_err(|_| None)?;
            items
                .into_iter()
                .map(|item| parse_raw(item, depth + 1))
                .collect::<Result<_, _>>()
                .map(Value::Array)
        }
        Some(b'"') => {
            serde_json::from_str(text).map(|JsonText(text)| Value::String(text)).map_err(|_| None)
        }
        Some(b'-' | b'0'..=b'9') => text.parse().map(Value::Number).map_err(|_| None),
        _ => serde_json::from_str(text).map_err(|_| None),
    }
}

/// `JSON.stringify` of a value that came from JSON; lone surrogates are written as escapes.
pub(crate) fn to_json(value: &Value, number: &dyn Fn(f64) -> String) -> String {
    let mut out = String::new();
    write(value, number, &mut out);
    out
}

fn write(value: &Value, number: &dyn Fn(f64) -> String, out: &mut String) {
    match value {
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(value) if value.is_finite() => out.push_str(&number(*value)),
        // JSON has no infinities; this is how a number beyond a double's range stays one.
        Value::Number(value) if value.is_infinite() => {
            out.push_str(if *value > 0.0 { "1e999" } else { "-1e999" });
        }
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                write(item, number, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            for (index, (key, member)) in members.iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                write_text(key, out);
                out.push(':');
                write(member, number, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        _ => out.push_str("null"),
    }
}

fn write_text(text: &Text, out: &mut String) {
    match text.as_str().map(serde_json::to_string) {
        Some(Ok(quoted)) => out.push_str(&quoted),
        _ => {
            out.push('"');
            for unit in text.to_utf16() {
                out.push_str(&format!("\\u{unit:04x}"));
            }
            out.push('"');
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((key, member)) = map.next_entry::<String, Value>()? {
            members.insert(Text::from(key), member);
        }
        Ok(Value::Object(members))
    }
}

struct Members<'a>(Vec<(Text, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((JsonText(key), member)) = map.next_entry()? {
                    members.push((key, member));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A JSON string, lone surrogates and all: asked for bytes, `serde_json` gives WTF-8.
struct JsonText(Text);

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = JsonText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<JsonText, E> {
                Ok(JsonText(Text::from_wtf8(bytes.to_vec())))
            }

            fn visit_str<E>(self, text: &str) -> Result<JsonText, E> {
                Ok(JsonText(text.into()))
            }
        }
        deserializer.deserialize_bytes(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_parse_takes_is_taken() {
        assert_eq!(parse("1e400").unwrap(), Value::Number(f64::INFINITY));
        assert_eq!(
            parse("[-0, 9007199254740993]").unwrap(),
            Value::Array(vec![Value::Number(0.0), Value::Number(9_007_199_254_740_992.0)])
        );
        assert_eq!(
            parse(r#"{"\ud800":"\ud83d\ude00\udc00","a":1,"a":2}"#).unwrap(),
            Value::Object(BTreeMap::from([
                (
                    Text::from_wtf8(vec![0xed, 0xa0, 0x80]),
                    Value::String(Text::from_wtf8(
                        [&b"\xf0\x9f\x98\x80"[..], b"\xed\xb0\x80"].concat()
                    ))
                ),
                (Text::from("a"), Value::Number(2.0)),
            ]))
        );
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        assert!(parse(&deep).is_ok());
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for text in ["", "{", "[1,]", "01", "'a'", "nul", "1 2", "\u{feff}1", "\"\u{1}\""] {
            assert!(parse(text).unwrap_err().is_json(), "{text:?}");
        }
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(parse(&deep).unwrap_err().to_string(), "nested deeper than 500 levels");
    }

    #[test]
    fn text_is_written_as_json_that_reads_back_the_same() {
        for text in [r#"{"a":[1.5,null,true,"x\n\u0001"],"b":{}}"#, r#"["\ud800",[],1e400]"#] {
            let value = parse(text).unwrap();
            assert_eq!(parse(&to_json(&value, &|number| number.to_string())).unwrap(), value);
        }
    }
}
