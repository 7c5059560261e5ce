//! What operators make of a property, made once per evaluation.

use super::{Property, Span, add, slice};
use crate::ecma::{self, Host, template_text_of, text_of, time_clip};
use crate::operator::{canonical_lower, is_json, parse_version, truth};
use crate::text::Text;
use crate::value::Value;

/// Derived values that are known so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Derived {
    text: Lazy<Span>,
    lower: Lazy<Span>,
    ascii_lower: Lazy<Span>,
    number: Lazy<f64>,
    time: Lazy<f64>,
    version: Lazy<[f64; 3]>,
}

/// Something that is made when it is first asked for, and may not exist.
#[derive(Clone, Copy, Debug, Default)]
enum Lazy<T> {
    #[default]
    Unknown,
    None,
    Some(T),
}

impl<T: Copy> Lazy<T> {
    fn known(self) -> Option<Option<T>> {
        match self {
            Lazy::Unknown => None,
            Lazy::None => Some(None),
            Lazy::Some(value) => Some(Some(value)),
        }
    }

    fn keep(&mut self, value: Option<T>) -> Option<T> {
        *self = value.map_or(Lazy::None, Lazy::Some);
        value
    }
}

/// A property that a filter asks about.
pub(crate) struct Asked<'c> {
    pub(crate) property: Property,
    pub(super) derived: &'c mut Derived,
    pub(super) bytes: &'c mut Vec<u8>,
    pub(super) odd: &'c [Value],
    pub(crate) host: &'c dyn Host,
}

impl Asked<'_> {
    fn odd(&self, index: u32) -> &Value {
        self.odd.get(index as usize).unwrap_or(&Value::Undefined)
    }

    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        slice(self.bytes, span)
    }

    /// `String(value)`, or `None` where JavaScript throws.
    pub(crate) fn text(&mut self) -> Option<Span> {
        if let Property::Text(text) | Property::Number(_, Some(text)) = self.property {
            return Some(text);
        }
        if let Some(text) = self.derived.text.known() {
            return text;
        }
        let text = match self.property {
            Property::Null => Some(add(self.bytes, b"null")),
            Property::Bool(true) => Some(add(self.bytes, b"true")),
            Property::Bool(false) => Some(add(self.bytes, b"false")),
            Property::Number(number, _) => Some(add_number(self.bytes, number, self.host)),
            Property::Odd(index) => {
                text_of(self.odd(index), self.host).map(|text| add(self.bytes, &text))
            }
            _ => Some(add(self.bytes, b"undefined")),
        };
        self.derived.text.keep(text)
    }

    /// Whether `${value}` throws.
    pub(crate) fn has_no_template_text(&self) -> bool {
        match self.property {
            Property::Odd(index) => template_text_of(self.odd(index), self.host).is_none(),
            _ => false,
        }
    }

    /// The canonical text, lower-cased, or `None` where the reference refuses to write it.
    pub(crate) fn lower(&mut self) -> Option<Span> {
        if let Some(lower) = self.derived.lower.known() {
            return lower;
        }
        let lower = match self.property {
            Property::Text(span) => lower(self.bytes, span, self.host),
            Property::Number(number, _) if number.is_finite() && number.fract() != 0.0 => {
                // Digits, and an `e` that is small already.
                self.text()
            }
            Property::Null | Property::Bool(_) => self.text(),
            Property::Odd(index) => {
                let text = canonical_lower(self.odd(index), self.host);
                text.map(|text| add(self.bytes, text.as_bytes()))
            }
            Property::Number(..) | Property::Undefined | Property::Absent => None,
        };
        self.derived.lower.keep(lower)
    }

    /// `String(value)` with A-Z lowered, or `None` where JavaScript throws.
    ///
    /// PARITY: `asciiLowercase` (@posthog/core).
    pub(crate) fn ascii_lower(&mut self) -> Option<Span> {
        if let Some(lower) = self.derived.ascii_lower.known() {
            return lower;
        }
        let lower = self.text().map(|text| ascii_lower(self.bytes, text));
        self.derived.ascii_lower.keep(lower)
    }

    /// The number itself, or what `parseFloat` reads from `String(value)`; `None` where that throws.
    pub(crate) fn number(&mut self) -> Option<f64> {
        if let Property::Number(number, _) = self.property {
            return Some(number);
        }
        if let Some(number) = self.derived.number.known() {
            return number;
        }
        let number = self.text().map(|text| {
            let text = self.slice(text);
            ecma::plain_number(text).unwrap_or_else(|| {
                self.host.parse_float(&Text::from_wtf8(text.to_vec()).to_str_lossy())
            })
        });
        self.derived.number.keep(number)
    }

    /// The time in milliseconds since the epoch; NaN of an invalid `Date`, `None` of what is no date.
    ///
    /// PARITY: `convertToDateTime` (@posthog/core).
    pub(crate) fn time(&mut self) -> Option<f64> {
        if let Some(time) = self.derived.time.known() {
            return time;
        }
        let time = match self.property {
            Property::Number(ms, _) => Some(time_clip(ms)).filter(|time| !time.is_nan()),
            Property::Text(span) => ecma::time_of_text(self.slice(span), self.host),
            // The reference takes a Date as it is, an invalid one included: it is never before or after.
            Property::Odd(index) => match self.odd(index) {
                Value::Date { ms, .. } => Some(*ms),
                _ => None,
            },
            _ => None,
        };
        self.derived.time.keep(time)
    }

    /// The version that `String(value)`, which must exist, spells.
    pub(crate) fn version(&mut self, text: Span) -> Option<[f64; 3]> {
        if let Some(version) = self.derived.version.known() {
            return version;
        }
        let version = match std::str::from_utf8(self.slice(text)) {
            Ok(text) => parse_version(text, self.host),
            // No text with half of a surrogate pair is a version before its end is cut off.
            Err(_) => {
                let text = Text::from_wtf8(self.slice(text).to_vec());
                parse_version(&text.to_str_lossy(), self.host)
            }
        };
        self.derived.version.keep(version)
    }

    /// PARITY: `assertJsonRepresentable` (@posthog/core).
    pub(crate) fn is_json(&self) -> bool {
        match self.property {
            Property::Null | Property::Bool(_) => true,
            Property::Number(number, _) => number.is_finite(),
            Property::Text(span) => std::str::from_utf8(self.slice(span)).is_ok(),
            Property::Odd(index) => is_json(self.odd(index)),
            Property::Undefined | Property::Absent => false,
        }
    }

    /// PARITY: `isTruthyPropertyValue` (@posthog/core).
    pub(crate) fn truth(&self) -> bool {
        match self.property {
            Property::Bool(value) => value,
            Property::Text(span) => self.slice(span).eq_ignore_ascii_case(b"true"),
            Property::Odd(index) => truth(self.odd(index)),
            _ => false,
        }
    }
}

/// `String(number)`.
fn add_number(bytes: &mut Vec<u8>, number: f64, host: &dyn Host) -> Span {
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
fn lower(bytes: &mut Vec<u8>, span: Span, host: &dyn Host) -> Option<Span> {
    let text = slice(bytes, span);
    if text.is_ascii() {
        return Some(ascii_lower(bytes, span));
    }
    let lower = host.to_lower_case(std::str::from_utf8(text).ok()?);
    Some(add(bytes, lower.as_bytes()))
}

/// The same text if nothing is to be lowered.
fn ascii_lower(bytes: &mut Vec<u8>, span: Span) -> Span {
    if !slice(bytes, span).iter().any(u8::is_ascii_uppercase) {
        return span;
    }
    let start = bytes.len();
    let range = span.start as usize..span.start.saturating_add(span.length) as usize;
    bytes.extend_from_within(range.start..range.end.min(start));
    bytes.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
    Span { start: start as u32, length: span.length }
}
