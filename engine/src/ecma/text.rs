//! Strings: conversion to text, trimming, letter case, search and order.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Host;
use crate::text::{Text, utf16};
use crate::value::Value;

/// `String(value)`, or `None` where JavaScript throws: an own member named `toString` shadows the
/// method, and nothing a definition can hold is callable.
pub(crate) fn text_of(value: &Value, host: &dyn Host) -> Option<Text> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Null => "null".into(),
        Value::Undefined => "undefined".into(),
        Value::Bool(true) => "true".into(),
        Value::Bool(false) => "false".into(),
        Value::Number(number) => host.number_to_string(*number).into(),
        Value::Array(items) => {
            let mut joined = Vec::new();
            join(items, host, &mut joined)?;
            Text::from_wtf8(joined)
        }
        Value::Object(members) if members.contains_key(b"toString".as_slice()) => return None,
        Value::Object(_) => "[object Object]".into(),
        Value::Date { text, .. } => text.clone(),
        Value::Styled { text, .. } | Value::Exotic(text) => text.clone()?,
        Value::Symbol(text) => text.clone(),
    })
}

/// `items.join()`, written into one buffer: a text of its own at each level would copy a text inside
/// many arrays once per level.
fn join(items: &[Value], host: &dyn Host, joined: &mut Vec<u8>) -> Option<()> {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push(b',');
        }
        match item {
            Value::Null | Value::Undefined => {}
            Value::Array(items) => join(items, host, joined)?,
            item => joined.extend_from_slice(&template_text_of(item, host)?),
        }
    }
    Some(())
}

/// `${value}`, or `None` where JavaScript throws: as `String(value)`, but for symbols.
pub(crate) fn template_text_of(value: &Value, host: &dyn Host) -> Option<Text> {
    if let Value::Symbol(_) = value { None } else { text_of(value, host) }
}

/// JavaScript's whitespace: what `trim` removes and number parsing skips.
pub(crate) fn is_space(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{202f}'
                | '\u{205f}'
                | '\u{3000}'
                | '\u{feff}'
    )
}

/// `text.trim()`.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `text.trimStart()`.
#[cfg(feature = "native")]
pub(crate) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// A-Z lowered, nothing else.
///
/// PARITY: `asciiLowercase` (@posthog/core).
#[cfg(feature = "compile")]
pub(crate) fn ascii_lower(text: &Text) -> Text {
    Text::from_wtf8(text.to_ascii_lowercase())
}

/// `text.toLowerCase()` of well-formed text.
pub(crate) fn lower<'t>(text: &'t str, host: &dyn Host) -> Cow<'t, str> {
    if !text.is_ascii() {
        Cow::Owned(host.to_lower_case(text))
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// `text.includes(part)`, by UTF-16 code unit: half of a surrogate pair is found inside the pair.
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    match (str::from_utf8(text), str::from_utf8(part)) {
        (Ok(text), Ok(part)) => text.contains(part),
        _ => {
            // Text of characters that stand for the units is searched in linear time.
            let units = |text: &[u8]| utf16(text).into_iter().map(stand_in).collect::<String>();
            units(text).contains(&units(part))
        }
    }
}

/// A character for each code unit: itself, or one beyond the units for half of a surrogate pair.
fn stand_in(unit: u16) -> char {
    let code = u32::from(unit);
    char::from_u32(code).or(char::from_u32(code + 0x1_0000)).unwrap_or_default()
}

/// `text.startsWith(part)`, by UTF-16 code unit.
pub(crate) fn starts_with(text: &[u8], part: &[u8]) -> bool {
    match str::from_utf8(part) {
        Ok(_) => text.starts_with(part),
        Err(_) => utf16(text).starts_with(&utf16(part)),
    }
}

/// `text.endsWith(part)`, by UTF-16 code unit.
pub(crate) fn ends_with(text: &[u8], part: &[u8]) -> bool {
    match str::from_utf8(part) {
        Ok(_) => text.ends_with(part),
        Err(_) => utf16(text).ends_with(&utf16(part)),
    }
}

/// The order of `<` between strings: by UTF-16 code unit, not by code point.
pub(crate) fn compare_utf16(left: &[u8], right: &[u8]) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        left.cmp(right)
    } else {
        utf16(left).cmp(&utf16(right))
    }
}
