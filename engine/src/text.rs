//! JavaScript strings.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

/// A JavaScript string as WTF-8: UTF-8 in which a lone surrogate (`"\ud800"`) stands as three bytes.
///
/// Byte order is code point order. Nearly every text is plain UTF-8 and [`Text::as_str`] gives it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Box<[u8]>);

impl Text {
    /// Takes bytes that are WTF-8 already. Other bytes do no harm: what needs Unicode sees an empty text.
    #[must_use]
    pub fn from_wtf8(bytes: Vec<u8>) -> Self {
        Text(bytes.into_boxed_slice())
    }

    /// The text of one UTF-16 code unit.
    #[must_use]
    pub fn from_unit(unit: u16) -> Self {
        match char::from_u32(u32::from(unit)) {
            Some(character) => character.to_string().into(),
            None => {
                let bits = |shift: u16| 0x80 | (unit >> shift & 0x3f) as u8;
                Text::from_wtf8(vec![0xe0 | (unit >> 12) as u8, bits(6), bits(0)])
            }
        }
    }

    /// The bytes, WTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as `str`, or `None` if it holds a lone surrogate.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The text with each lone surrogate replaced by U+FFFD, as `TextEncoder` does.
    #[must_use]
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                let replaced = crate::bucket::without_surrogates(&self.0);
                Cow::Owned(String::from_utf8(replaced).unwrap_or_default())
            }
        }
    }

    /// The text as JSON: in quotes, a lone surrogate as an escape.
    #[cfg(feature = "compile")]
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::json::quoted(self)
    }

    /// The UTF-16 code units JavaScript sees.
    #[must_use]
    pub fn to_utf16(&self) -> Vec<u16> {
        utf16(&self.0).as_chunks().0.iter().map(|unit| u16::from_be_bytes(*unit)).collect()
    }
}

/// The UTF-16 code units of WTF-8, big-endian: their bytes are ordered as they are.
pub(crate) fn utf16(wtf8: &[u8]) -> Vec<u8> {
    let mut units = Vec::with_capacity(2 * wtf8.len());
    let mut push = |unit: u32| units.extend_from_slice(&(unit as u16).to_be_bytes());
    let mut bytes = wtf8.iter().copied();
    while let Some(lead) = bytes.next() {
        let (more, mut code) = match lead {
            0x00..=0x7f => (0, u32::from(lead)),
            0x80..=0xdf => (1, u32::from(lead & 0x1f)),
            0xe0..=0xef => (2, u32::from(lead & 0x0f)),
            _ => (3, u32::from(lead & 0x07)),
        };
        for _ in 0..more {
            code = code << 6 | u32::from(bytes.next().unwrap_or(0) & 0x3f);
        }
        match code.checked_sub(0x1_0000) {
            Some(pair @ ..0x10_0000) => {
                push(0xd800 | pair >> 10);
                push(0xdc00 | pair & 0x3ff);
            }
            _ => push(code),
        }
    }
    units
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(text.as_bytes().into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(text.into_bytes().into_boxed_slice())
    }
}

impl Deref for Text {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_str_lossy(), f)
    }
}
