//! What operators make of a property, made once per evaluation.

use super::{Odd, Property, Span, add, slice};
use crate::ecma::{self, Host, is_ascii, time_clip};
use crate::operator::parse_version;
use crate::text::lossy;

/// Derived values that are known so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Derived {
    /// What was made, a bit each. To forget all is to clear it.
    made: u8,
    /// What was made and does not exist.
    none: u8,
    /// The text, the lower text and the one with A-Z lowered.
    texts: [Span; 3],
    /// The number and the time.
    numbers: [f64; 2],
    version: [f64; 3],
}

const TEXT: u8 = 1;
const LOWER: u8 = 1 << 1;
const ASCII_LOWER: u8 = 1 << 2;
const NUMBER: u8 = 1 << 3;
const TIME: u8 = 1 << 4;
const VERSION: u8 = 1 << 5;

impl Derived {
    #[inline]
    pub(super) fn forget(&mut self) {
        self.made = 0;
    }

    /// A value, if it was made; the inner `None` if it does not exist.
    #[inline]
    fn known<T>(&self, what: u8, value: T) -> Option<Option<T>> {
        (self.made & what != 0).then(|| (self.none & what == 0).then_some(value))
    }

    /// Keeps what was made in its place.
    #[inline]
    fn keep<T: Copy>(
        &mut self,
        what: u8,
        place: impl FnOnce(&mut Self) -> &mut T,
        value: Option<T>,
    ) -> Option<T> {
        self.made |= what;
        match value {
            Some(value) => {
                self.none &= !what;
                *place(self) = value;
            }
            None => self.none |= what,
        }
        value
    }
}

/// A property that a filter asks about.
pub(crate) struct Asked<'c, H: ?Sized> {
    pub(crate) property: Property,
    pub(super) derived: &'c mut Derived,
    pub(super) bytes: &'c mut Vec<u8>,
    pub(super) odd: &'c [Odd],
    pub(crate) host: &'c H,
}

impl<H: Host + ?Sized> Asked<'_, H> {
    fn odd(&self, index: u32) -> Odd {
        self.odd.get(index as usize).copied().unwrap_or_default()
    }

    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        slice(self.bytes, span)
    }

    /// `String(value)`, or `None` where JavaScript throws.
    pub(crate) fn text(&mut self) -> Option<Span> {
        match self.property {
            Property::Text(text) | Property::Number(_, Some(text)) => return Some(text),
            Property::Odd(index) => return self.odd(index).text,
            _ => {}
        }
        if let Some(text) = self.derived.known(TEXT, self.derived.texts[0]) {
            return text;
        }
        let word: &[u8] = match self.property {
            Property::Number(..) => b"",
            Property::Null => b"null",
            Property::Bool(true) => b"true",
            Property::Bool(false) => b"false",
            _ => b"undefined",
        };
        let text = match self.property {
            Property::Number(number, _) => add_number(self.bytes, number, self.host),
            _ => add(self.bytes, word),
        };
        self.derived.keep(TEXT, |it| &mut it.texts[0], Some(text))
    }

    /// Whether `${value}` throws.
    pub(crate) fn has_no_template_text(&self) -> bool {
        match self.property {
            Property::Odd(index) => self.odd(index).throws_in_template,
            _ => false,
        }
    }

    /// The canonical text, lower-cased, or `None` where the reference refuses to write it.
    pub(crate) fn lower(&mut self) -> Option<Span> {
        if let Some(lower) = self.derived.known(LOWER, self.derived.texts[1]) {
            return lower;
        }
        let lower = match self.property {
            Property::Text(span) => lower(self.bytes, span, self.host),
            Property::Number(number, _) if number.is_finite() && number.fract() != 0.0 => {
                // Digits, and an `e` that is small already.
                self.text()
            }
            Property::Null | Property::Bool(_) => self.text(),
            Property::Odd(index) => self.odd(index).lower,
            Property::Number(..) | Property::Undefined | Property::Absent => None,
        };
        self.derived.keep(LOWER, |it| &mut it.texts[1], lower)
    }

    /// `String(value)` with A-Z lowered, or `None` where JavaScript throws.
    ///
    /// PARITY: `asciiLowercase` (@posthog/core).
    pub(crate) fn ascii_lower(&mut self) -> Option<Span> {
        if let Some(lower) = self.derived.known(ASCII_LOWER, self.derived.texts[2]) {
            return lower;
        }
        let lower = self.text().map(|text| ascii_lower(self.bytes, text));
        self.derived.keep(ASCII_LOWER, |it| &mut it.texts[2], lower)
    }

    /// The number itself, or what `parseFloat` reads from `String(value)`; `None` where that throws.
    pub(crate) fn number(&mut self) -> Option<f64> {
        if let Property::Number(number, _) = self.property {
            return Some(number);
        }
        if let Some(number) = self.derived.known(NUMBER, self.derived.numbers[0]) {
            return number;
        }
        let number = self.text().map(|text| {
            let text = self.slice(text);
            ecma::plain_number(text).unwrap_or_else(|| self.host.parse_float(&lossy(text)))
        });
        self.derived.keep(NUMBER, |it| &mut it.numbers[0], number)
    }

    /// The time in milliseconds since the epoch; NaN of an invalid `Date`, `None` of what is no date.
    ///
    /// PARITY: `convertToDateTime` (@posthog/core).
    pub(crate) fn time(&mut self) -> Option<f64> {
        if let Some(time) = self.derived.known(TIME, self.derived.numbers[1]) {
            return time;
        }
        let time = match self.property {
            Property::Number(ms, _) => Some(time_clip(ms)).filter(|time| !time.is_nan()),
            Property::Text(span) => ecma::time_of_text(self.slice(span), self.host),
            // The reference takes a Date as it is, an invalid one included: it is never before or after.
            Property::Odd(index) => self.odd(index).time,
            _ => None,
        };
        self.derived.keep(TIME, |it| &mut it.numbers[1], time)
    }

    /// The version that `String(value)`, which must exist, spells.
    pub(crate) fn version(&mut self, text: Span) -> Option<[f64; 3]> {
        if let Some(version) = self.derived.known(VERSION, self.derived.version) {
            return version;
        }
        let version = parse_version(self.slice(text), self.host);
        self.derived.keep(VERSION, |it| &mut it.version, version)
    }

    /// PARITY: `assertJsonRepresentable` (@posthog/core).
    pub(crate) fn is_json(&self) -> bool {
        match self.property {
            Property::Null | Property::Bool(_) => true,
            Property::Number(number, _) => number.is_finite(),
            Property::Text(span) => std::str::from_utf8(self.slice(span)).is_ok(),
            Property::Odd(index) => self.odd(index).is_json,
            Property::Undefined | Property::Absent => false,
        }
    }

    /// PARITY: `isTruthyPropertyValue` (@posthog/core).
    pub(crate) fn truth(&self) -> bool {
        match self.property {
            Property::Bool(value) => value,
            Property::Text(span) => self.slice(span).eq_ignore_ascii_case(b"true"),
            Property::Odd(index) => self.odd(index).truth,
            _ => false,
        }
    }
}

/// `String(number)`.
fn add_number(bytes: &mut Vec<u8>, number: f64, host: &(impl Host + ?Sized)) -> Span {
    const EXACT: f64 = (1_u64 << 53) as f64;
    if number.fract() != 0.0 || number.abs() >= EXACT {
        return add(bytes, host.number_to_string(number).as_bytes());
    }
    let mut digits = [0; 17];
    let mut rest = number.abs() as u64;
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    let start = bytes.len() as u32;
    if number < 0.0 {
        bytes.push(b'-');
    }
    bytes.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
    Span { start, length: bytes.len() as u32 - start }
}

/// `text.toLowerCase()`; `None` if the text holds half of a surrogate pair.
fn lower(bytes: &mut Vec<u8>, span: Span, host: &(impl Host + ?Sized)) -> Option<Span> {
    let text = slice(bytes, span);
    if is_ascii(text) {
        return Some(ascii_lower(bytes, span));
    }
    if text.iter().all(|byte| *byte <= LATIN_1_LETTERS) {
        return Some(latin_1_lower(bytes, span));
    }
    let lower = host.to_lower_case(std::str::from_utf8(text).ok()?);
    Some(add(bytes, lower.as_bytes()))
}

/// The first byte of `À` to `ÿ`. No character beyond them begins with a lower one or with this one.
const LATIN_1_LETTERS: u8 = 0xc3;

/// All versions of Unicode lower `À` to `Þ` alike, one by one and to as many bytes: the host, which makes a
/// text of its own, is not asked.
fn latin_1_lower(bytes: &mut Vec<u8>, span: Span) -> Span {
    let mut before = 0;
    let start = bytes.len();
    for at in span.start..span.start.saturating_add(span.length) {
        let byte = bytes.get(at as usize).copied().unwrap_or_default();
        let is_multiplication_sign = byte == 0x97;
        bytes.push(match before {
            LATIN_1_LETTERS if byte < 0x9f && !is_multiplication_sign => byte | 0x20,
            _ => byte.to_ascii_lowercase(),
        });
        before = byte;
    }
    Span { start: start as u32, length: span.length }
}

/// The same text if nothing is to be lowered.
fn ascii_lower(bytes: &mut Vec<u8>, span: Span) -> Span {
    if !slice(bytes, span).iter().any(u8::is_ascii_uppercase) {
        return span;
    }
    let start = bytes.len();
    bytes.resize(start + span.length as usize, 0);
    if let Some((before, lower)) = bytes.split_at_mut_checked(start) {
        for (to, from) in lower.iter_mut().zip(slice(before, span)) {
            *to = from.to_ascii_lowercase();
        }
    }
    Span { start: start as u32, length: span.length }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_1_is_lowered_as_unicode_says() {
        let text: String = ('\0'..='ÿ').collect();
        let mut bytes = text.clone().into_bytes();
        let length = bytes.len() as u32;
        let lower = latin_1_lower(&mut bytes, Span { start: 0, length });
        assert_eq!(slice(&bytes, lower), text.to_lowercase().as_bytes());
    }
}
