//! Strings: conversion to text, trimming, letter case, search and order.

use std::cmp::Ordering;

use super::Host;
use crate::text::{Text, utf16};
use crate::value::Value;

/// `String(value)`, or `None` where JavaScript throws: an own member named `toString` shadows the
/// method, and nothing a definition can hold is callable.
pub(crate) fn text_of(value: &Value, host: &(impl Host + ?Sized)) -> Option<Text> {
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
        Value::Object(members) if members.get(b"toString").is_some() => return None,
        Value::Object(_) => "[object Object]".into(),
        Value::Date { text, .. } => text.clone(),
        Value::Styled { text, .. } | Value::Exotic(text) => text.clone()?,
        Value::Symbol(text) => text.clone(),
    })
}

/// `items.join()`, written into one buffer: a text of its own at each level would copy a text inside
/// many arrays once per level.
fn join(items: &[Value], host: &(impl Host + ?Sized), joined: &mut Vec<u8>) -> Option<()> {
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
pub(crate) fn template_text_of(value: &Value, host: &(impl Host + ?Sized)) -> Option<Text> {
    if let Value::Symbol(_) = value { None } else { text_of(value, host) }
}

/// JavaScript's whitespace, what `trim` removes and number parsing skips, as UTF-8.
fn is_space_wtf8(character: &[u8]) -> bool {
    matches!(
        character,
        [b'\t'..=b'\r' | b' ']
            | [0xc2, 0xa0]
            | [0xe1, 0x9a, 0x80]
            | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf]
            | [0xe2, 0x81, 0x9f]
            | [0xe3, 0x80, 0x80]
            | [0xef, 0xbb, 0xbf]
    )
}

/// See [`is_space_wtf8`].
#[cfg(feature = "native")]
pub(crate) fn is_space(character: char) -> bool {
    is_space_wtf8(character.encode_utf8(&mut [0; 4]).as_bytes())
}

/// `text.trim()`.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    let lengths = 1..=3;
    while let Some((_, rest)) = lengths
        .clone()
        .find_map(|length| text.split_at_checked(length).filter(|(first, _)| is_space_wtf8(first)))
    {
        text = rest;
    }
    while let Some((rest, _)) = lengths.clone().find_map(|length| {
        text.split_at_checked(text.len().checked_sub(length)?)
            .filter(|(_, last)| is_space_wtf8(last))
    }) {
        text = rest;
    }
    text
}

/// A-Z lowered, nothing else.
///
/// PARITY: `asciiLowercase` (@posthog/core).
#[cfg(feature = "compile")]
pub(crate) fn ascii_lower(text: &Text) -> Text {
    Text::from_wtf8(text.to_ascii_lowercase())
}

/// `text.includes(part)`, by UTF-16 code unit: half of a surrogate pair is found inside the pair.
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    // Bytes tell only where characters are whole: no part of one is another.
    match str::from_utf8(part) {
        Ok(_) => holds(text, part, 1),
        Err(_) => holds(&utf16(text), &utf16(part), 2),
    }
}

/// Whether a part lies in a text behind a multiple of so many bytes.
///
/// Compares hashes, which roll along the text (Rabin and Karp): linear in the text, unless somebody finds many
/// pieces that hash as the part does and overlap.
fn holds(text: &[u8], part: &[u8], unit: usize) -> bool {
    const FACTOR: u32 = 0x0100_0193;
    let next = |hash: u32, byte: &u8| hash.wrapping_mul(FACTOR).wrapping_add((*byte).into());
    let hash = |bytes: &[u8]| bytes.iter().fold(0, next);
    let Some((first, rest)) = text.split_at_checked(part.len()) else { return false };
    let wanted = hash(part);
    let power = part.iter().fold(1_u32, |power, _| power.wrapping_mul(FACTOR));
    let mut window = hash(first);
    let mut behind = text;
    let mut rest = rest.iter();
    loop {
        if window == wanted && rest.len().is_multiple_of(unit) && behind.starts_with(part) {
            return true;
        }
        let (Some(byte), Some((gone, after))) = (rest.next(), behind.split_first()) else {
            return false;
        };
        window = next(window, byte).wrapping_sub(power.wrapping_mul((*gone).into()));
        behind = after;
    }
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
        return left.cmp(right);
    }
    match (str::from_utf8(left), str::from_utf8(right)) {
        (Ok(left), Ok(right)) => left.encode_utf16().cmp(right.encode_utf16()),
        _ => utf16(left).cmp(&utf16(right)),
    }
}
