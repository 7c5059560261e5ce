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
#[inline(never)]
fn is_space_wtf8(character: &[u8]) -> bool {
    // With a 1 before them, bytes make one number only.
    let number = character.iter().fold(1, |number: u32, byte| number << 8 | u32::from(*byte));
    matches!(
        number,
        0x109..=0x10d
            | 0x120
            | 0x1_c2a0
            | 0x1e1_9a80
            | 0x1e2_8080..=0x1e2_808a
            | 0x1e2_80a8
            | 0x1e2_80a9
            | 0x1e2_80af
            | 0x1e2_819f
            | 0x1e3_8080
            | 0x1ef_bbbf
    )
}

/// See [`is_space_wtf8`].
#[cfg(feature = "native")]
pub(crate) fn is_space(character: char) -> bool {
    is_space_wtf8(character.encode_utf8(&mut [0; 4]).as_bytes())
}

/// `text.trim()`.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = without_space(text, false) {
        text = rest;
    }
    while let Some(rest) = without_space(text, true) {
        text = rest;
    }
    text
}

/// A text without the space that it begins or ends with, if it does.
#[inline(never)]
fn without_space(text: &[u8], at_end: bool) -> Option<&[u8]> {
    for length in 1..=3.min(text.len()) {
        let (first, last) =
            text.split_at_checked(if at_end { text.len() - length } else { length })?;
        let (space, rest) = if at_end { (last, first) } else { (first, last) };
        if is_space_wtf8(space) {
            return Some(rest);
        }
    }
    None
}

/// A-Z lowered, nothing else.
///
/// PARITY: `asciiLowercase` (@posthog/core).
#[cfg(feature = "compile")]
pub(crate) fn ascii_lower(text: &Text) -> Text {
    Text::from_wtf8(text.to_ascii_lowercase())
}

/// Whether a text is ASCII. In one place, for this is asked in many.
#[inline(never)]
pub(crate) fn is_ascii(text: &[u8]) -> bool {
    text.is_ascii()
}

/// Where a part is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    Start,
    End,
}

/// `text.includes(part)`, `text.startsWith(part)` or `text.endsWith(part)`, by UTF-16 code unit: half of a
/// surrogate pair is found inside the pair.
pub(crate) fn has_part(text: &[u8], part: &[u8], place: Place) -> bool {
    // Bytes tell only where characters are whole: no part of one is another.
    match str::from_utf8(part) {
        Ok(_) => has_part_of_units(text, part, place, 1),
        Err(_) => has_part_of_units(&utf16(text), &utf16(part), place, 2),
    }
}

fn has_part_of_units(text: &[u8], part: &[u8], place: Place, unit: usize) -> bool {
    match place {
        Place::Anywhere => holds(text, part, unit),
        Place::Start => text.starts_with(part),
        Place::End => text.ends_with(part),
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

/// The order of `<` between strings: by UTF-16 code unit, not by code point.
pub(crate) fn compare_utf16(left: &[u8], right: &[u8]) -> Ordering {
    if str::from_utf8(left).is_err() || str::from_utf8(right).is_err() {
        return utf16(left).cmp(&utf16(right));
    }
    // Bytes are ordered as code points are. Only surrogates, which the characters with four bytes are made of,
    // stand before the last characters with three.
    match left.iter().zip(right).find(|(left, right)| left != right) {
        Some((0xf0.., 0xee | 0xef)) => Ordering::Less,
        Some((0xee | 0xef, 0xf0..)) => Ordering::Greater,
        _ => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same in every run (splitmix64).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((mixed ^ mixed >> 31) % limit as u64) as usize
        }

        /// Characters, few enough that texts repeat themselves.
        fn text(&mut self, limit: usize) -> String {
            let length = self.below(limit + 1);
            (0..length).map(|_| ['a', 'b', '\u{e9}', '\u{1f600}'][self.below(4)]).collect()
        }
    }

    fn places(text: &[u8], part: &[u8]) -> [bool; 3] {
        [Place::Anywhere, Place::Start, Place::End].map(|place| has_part(text, part, place))
    }

    #[test]
    fn parts_are_found_where_the_standard_library_finds_them() {
        let mut numbers = Numbers(1);
        let mut found = [0; 4];
        for _ in 0..100_000 {
            let (text, part) = (numbers.text(20), numbers.text(4));
            let want = [text.contains(&part), text.starts_with(&part), text.ends_with(&part)];
            assert_eq!(places(text.as_bytes(), part.as_bytes()), want, "{part:?} in {text:?}");
            found[want.iter().filter(|found| **found).count()] += 1;
        }
        assert!(found.iter().all(|count| *count > 100), "{found:?}");
    }

    #[test]
    fn long_parts_are_found_where_the_standard_library_finds_them() {
        let mut numbers = Numbers(2);
        let text: String = (0..2000).map(|_| numbers.text(20)).collect();
        for length in [1, 2, 3, 100, 1000, 5000] {
            for start in [0, 1, 2, 777, text.len() - length] {
                let Some(part) = text.get(start..start + length) else { continue };
                assert!(has_part(text.as_bytes(), part.as_bytes(), Place::Anywhere));
                let other = format!("{part}c");
                assert!(!has_part(text.as_bytes(), other.as_bytes(), Place::Anywhere));
            }
        }
    }

    #[test]
    fn parts_with_halves_of_surrogate_pairs_are_found_by_code_unit() {
        let high = [0xed, 0xa0, 0xbd];
        let low = [0xed, 0xb8, 0x80];
        let smile = "\u{1f600}".as_bytes();
        assert_eq!(places(smile, &high), [true, true, false]);
        assert_eq!(places(smile, &low), [true, false, true]);
        assert_eq!(places(&[b"ab".as_slice(), smile, b"c"].concat(), &low), [true, false, false]);
        // Bytes of one unit with those of its neighbour are no unit.
        assert_eq!(utf16("\u{d8}\u{3d00}".as_bytes()), [0x00, 0xd8, 0x3d, 0x00]);
        assert_eq!(places("\u{d8}\u{3d00}".as_bytes(), &high), [false; 3]);
        assert_eq!(places(&high, smile), [false; 3]);
    }

    #[test]
    fn texts_are_ordered_by_code_unit() {
        let characters =
            ["", "a", "b", "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}"];
        let last = ["\u{fb00}", "\u{ffff}", "\u{10000}", "\u{1f600}", "\u{10ffff}"];
        let characters: Vec<&str> = characters.into_iter().chain(last).collect();
        let texts =
            characters.iter().flat_map(|a| characters.iter().map(move |b| format!("{a}{b}")));
        let texts: Vec<String> = texts.collect();
        for left in &texts {
            for right in &texts {
                let want = left.encode_utf16().cmp(right.encode_utf16());
                assert_eq!(
                    compare_utf16(left.as_bytes(), right.as_bytes()),
                    want,
                    "{left:?} {right:?}"
                );
            }
        }
        let lone = [0xed, 0xa0, 0x80];
        assert_eq!(compare_utf16(&lone, "\u{10000}".as_bytes()), Ordering::Less);
        assert_eq!(compare_utf16(&[0xed, 0xb0, 0x80], "\u{10ffff}".as_bytes()), Ordering::Greater);
        assert_eq!(compare_utf16(&lone, "\u{d7ff}".as_bytes()), Ordering::Greater);
    }

    #[test]
    fn spaces_are_trimmed_as_javascript_does() {
        let spaces = "\t\n\u{b}\u{c}\r \u{a0}\u{1680}\u{2000}\u{2005}\u{200a}\u{2028}\u{2029}\u{202f}\
                      \u{205f}\u{3000}\u{feff}";
        for kept in
            ["", "a", "1 2", "\u{85}", "\u{200b}", "\u{180e}", "\u{1681}", "\u{200b} \u{2027}"]
        {
            let text = format!("{spaces}{kept}{spaces}");
            assert_eq!(trim(text.as_bytes()), kept.as_bytes(), "{kept:?}");
        }
    }
}
