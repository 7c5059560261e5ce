//! JSON in the texts it came in: parts of definitions are compared, copied and cut without being read.
//!
//! Everything JavaScript's `JSON.parse` takes can be walked here, lone surrogates, huge numbers and any
//! depth included, because nothing is read but the frame that is looked at.

use std::borrow::Cow;
use std::fmt;

use flagpost_engine::ecma::{Host, NativeHost};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Lists within lists whose text is made: deeper ones are not looked at.
const MAX_LISTS: usize = 64;

/// One member of an object, each part as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    /// With its quotes.
    pub(crate) key: &'a str,
    /// The key, decoded; half of a surrogate pair becomes U+FFFD.
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: &'a str,
}

/// The members of definitions, in their order, repeated ones included.
///
/// # Errors
/// They are not UTF-8, not JSON, or no object.
pub(crate) fn frame(definitions: &[u8]) -> Result<Vec<Member<'_>>, String> {
    let bytes = definitions.strip_prefix(b"\xef\xbb\xbf").unwrap_or(definitions);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!("the definitions are not UTF-8 at byte {}", error.valid_up_to())
    })?;
    // What is an object needs no second look, and definitions are large.
    if let Some(members) = members(text.trim_matches([' ', '\t', '\n', '\r'])) {
        return Ok(members);
    }
    let whole: &RawValue = serde_json::from_str(text)
        .map_err(|error| format!("the definitions are not JSON: {error}"))?;
    members(whole.get())
        .ok_or_else(|| "the definitions are not an object with a `flags` list".to_owned())
}

/// The flags of definitions; `null` counts as none.
///
/// # Errors
/// There is no list of them.
pub(crate) fn flags<'a>(frame: &[Member<'a>]) -> Result<Vec<&'a str>, String> {
    match get(frame, "flags") {
        Some("null") => Ok(Vec::new()),
        Some(flags) => {
            elements(flags).ok_or_else(|| "`flags` in the definitions is not a list".to_owned())
        }
        None => Err("the definitions have no `flags`".to_owned()),
    }
}

/// The members of an object, `None` for anything else.
pub(crate) fn members(json: &str) -> Option<Vec<Member<'_>>> {
    if !json.starts_with('{') {
        return None;
    }
    serde_json::from_str::<Object<'_>>(json).ok().map(|object| object.0)
}

/// The elements of a list, `None` for anything else.
pub(crate) fn elements(json: &str) -> Option<Vec<&str>> {
    if !json.starts_with('[') {
        return None;
    }
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// The value of a member: of repeated ones the last counts, as in JavaScript.
pub(crate) fn get<'a>(members: &[Member<'a>], name: &str) -> Option<&'a str> {
    members.iter().rev().find(|member| member.name == name).map(|member| member.value)
}

/// The text of a JSON string, `None` for anything else.
pub(crate) fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = String;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }
        // Asked for bytes, the reader also takes half of a surrogate pair.
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_bytes(Bytes).ok().map(Cow::Owned)
}

/// JavaScript's `String(value)` of a JSON value.
pub(crate) fn js_text(json: &str) -> Cow<'_, str> {
    text_within(json, MAX_LISTS)
}

fn text_within(json: &str, depth: usize) -> Cow<'_, str> {
    match json.as_bytes().first() {
        Some(b'"') => string(json).unwrap_or_default(),
        Some(b'{') => Cow::Borrowed("[object Object]"),
        Some(b'[') => {
            let Some(depth) = depth.checked_sub(1) else { return Cow::Borrowed("") };
            let texts: Vec<_> = elements(json)
                .unwrap_or_default()
                .into_iter()
                .map(|element| match element {
                    "null" => Cow::Borrowed(""),
                    element => text_within(element, depth),
                })
                .collect();
            Cow::Owned(texts.join(","))
        }
        Some(b'-' | b'0'..=b'9') => match json.parse() {
            Ok(number) => Cow::Owned(NativeHost::default().number_to_string(number)),
            Err(_) => Cow::Borrowed(json),
        },
        _ => Cow::Borrowed(json),
    }
}

/// JavaScript's `Boolean(value)` of a JSON value.
pub(crate) fn is_truthy(json: &str) -> bool {
    match json.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => json.parse::<f64>() != Ok(0.0),
        _ => !matches!(json, "null" | "false" | "\"\""),
    }
}

struct Object<'a>(Vec<Member<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<Member<'de>>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let name = string(key.get()).unwrap_or_default();
                    members.push(Member { key: key.get(), name, value: value.get() });
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_as_they_stand_with_repeated_and_escaped_names() {
        let found = members(r#"{ "a" :1.0, "\u0061" : [1e400 ], "\ud800":"x" }"#).unwrap();
        let shown: Vec<_> = found.iter().map(|m| (m.key, &*m.name, m.value)).collect();
        assert_eq!(
            shown,
            [
                (r#""a""#, "a", "1.0"),
                (r#""\u0061""#, "a", "[1e400 ]"),
                // Three bytes of WTF-8, none of them UTF-8.
                (r#""\ud800""#, "\u{fffd}\u{fffd}\u{fffd}", r#""x""#),
            ]
        );
        assert_eq!(get(&found, "a"), Some("[1e400 ]"));
        assert!(members("[]").is_none() && elements("{}").is_none());
    }

    #[test]
    fn any_depth_is_walked() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(members(&deep).unwrap()[0].value.len(), 200_000);
    }

    #[test]
    fn texts_are_those_of_javascript() {
        for (json, text) in [
            ("101", "101"),
            ("101.0", "101"),
            ("1e21", "1e+21"),
            ("1e400", "Infinity"),
            (r#""a\u00e9""#, "aé"),
            ("[101]", "101"),
            ("[1,null,[2,true]]", "1,,2,true"),
            ("{}", "[object Object]"),
            ("null", "null"),
        ] {
            assert_eq!(js_text(json), text, "{json}");
        }
    }

    #[test]
    fn truth_is_that_of_javascript() {
        for json in ["null", "false", "0", "-0.0", "0e7", "\"\""] {
            assert!(!is_truthy(json), "{json}");
        }
        for json in ["true", "1", "1e400", "\"0\"", "[]", "{}"] {
            assert!(is_truthy(json), "{json}");
        }
    }
}
