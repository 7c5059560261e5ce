//! A user as one byte array, written by `js/src/pack.ts`.
//!
//! Little-endian. A *string* is its length in bytes as `u32`, then WTF-8. In order:
//!
//! ```text
//! distinct id          string
//! person               for every one of the ruleset's slots: value
//! groups               for every one of its group types:
//!                        0                         the user is in no such group
//!                        1, key string, 0          in it, without a property map
//!                        1, key string, 1, values  in it, with a value for every slot
//! ```
//!
//! A *value* is a tag byte and what follows it:
//!
//! ```text
//! 0  absent: no such property          6  string
//! 1  undefined                         7  array: u32 count, values
//! 2  null                              8  plain object: u32 count, (key string, value) each
//! 3  false                             9  Date: f64 milliseconds, string String(date)
//! 4  true                             10  exotic: string String(value)
//! 5  number: f64                      11  exotic whose String(value) throws
//!                                     12  symbol: string String(value)
//! 13  array or plain object of unusual text: string String(value), then the value as 7 or 8
//! 14  the same whose String(value) throws: the value as 7 or 8
//! ```

use std::collections::BTreeMap;
use std::fmt;

use flagpost_engine::{Context, GroupContext, Text, Value};

/// The writer nests at most this deep; anything deeper is not its work.
const MAX_DEPTH: usize = 500;

/// Values inside arrays and objects that the writer writes at most, all of a user's together. Room is
/// reserved for as many as a count says, so that this bounds the memory that any bytes can ask for.
const MAX_VALUES: usize = 4_000_000;

/// The bytes are not a user as this module's text describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where reading stopped, in bytes.
    pub offset: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the packed user is malformed at byte {}", self.offset)
    }
}

/// Reads a user laid out for a ruleset with so many slots and group types.
///
/// # Errors
/// [`Malformed`] for bytes that are cut short, longer than the layout, nested too deep, hold too many
/// values or an unknown tag.
pub fn decode(bytes: &[u8], slots: usize, group_types: usize) -> Result<Context, Malformed> {
    let mut reader = Reader { rest: bytes, values: MAX_VALUES };
    reader
        .context(slots, group_types)
        .filter(|_| reader.rest.is_empty())
        .ok_or(Malformed { offset: bytes.len() - reader.rest.len() })
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Values inside others that may still come.
    values: usize,
}

impl Reader<'_> {
    fn context(&mut self, slots: usize, group_types: usize) -> Option<Context> {
        let distinct_id = self.text()?;
        let person = self.slots(slots)?;
        let mut groups = Vec::with_capacity(group_types);
        for _ in 0..group_types {
            groups.push(if self.flag()? { Some(self.group(slots)?) } else { None });
        }
        Some(Context { distinct_id, person, groups })
    }

    fn group(&mut self, slots: usize) -> Option<GroupContext> {
        let key = self.text()?;
        let properties = if self.flag()? { Some(self.slots(slots)?) } else { None };
        Some(GroupContext { key, properties })
    }

    fn slots(&mut self, count: usize) -> Option<Vec<Option<Value>>> {
        let mut values = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            values.push(match self.byte()? {
                0 => None,
                tag => Some(self.value(tag, 0)?),
            });
        }
        Some(values)
    }

    fn value(&mut self, tag: u8, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match tag {
            1 => Value::Undefined,
            2 => Value::Null,
            3 => Value::Bool(false),
            4 => Value::Bool(true),
            5 => Value::Number(self.number()?),
            6 => Value::String(self.text()?),
            7 => {
                let count = self.elements()?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.nested(depth)?);
                }
                Value::Array(items)
            }
            8 => {
                let mut members = BTreeMap::new();
                for _ in 0..self.elements()? {
                    let key = self.text()?;
                    members.insert(key, self.nested(depth)?);
                }
                Value::Object(members)
            }
            9 => Value::Date { ms: self.number()?, text: self.text()? },
            10 => Value::Exotic(Some(self.text()?)),
            11 => Value::Exotic(None),
            12 => Value::Symbol(self.text()?),
            13 => {
                let text = self.text()?;
                self.styled(Some(text), depth)?
            }
            14 => self.styled(None, depth)?,
            _ => return None,
        })
    }

    fn styled(&mut self, text: Option<Text>, depth: usize) -> Option<Value> {
        let tag = self.byte().filter(|tag| matches!(tag, 7 | 8))?;
        Some(Value::Styled { text, value: Box::new(self.value(tag, depth)?) })
    }

    fn nested(&mut self, depth: usize) -> Option<Value> {
        let tag = self.byte()?;
        self.value(tag, depth + 1)
    }

    /// The count of an array or object: no more than the bytes left could hold.
    fn elements(&mut self) -> Option<usize> {
        let count = self.count().filter(|count| *count <= self.rest.len())?;
        self.values = self.values.checked_sub(count)?;
        Some(count)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<Text> {
        let length = self.count()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Text::from_wtf8(text.to_vec()))
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn count(&mut self) -> Option<usize> {
        self.take().and_then(|bytes| usize::try_from(u32::from_le_bytes(bytes)).ok())
    }

    fn number(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Writer(Vec<u8>);

    impl Writer {
        fn byte(mut self, byte: u8) -> Self {
            self.0.push(byte);
            self
        }
        fn count(mut self, count: u32) -> Self {
            self.0.extend(count.to_le_bytes());
            self
        }
        fn number(mut self, number: f64) -> Self {
            self.0.extend(number.to_le_bytes());
            self
        }
        fn text(mut self, text: &str) -> Self {
            self = self.count(u32::try_from(text.len()).unwrap_or(u32::MAX));
            self.0.extend(text.as_bytes());
            self
        }
    }

    /// Two slots, two group types, and every kind of value.
    fn everything() -> Vec<u8> {
        Writer::default()
            .text("user-1")
            .byte(7)
            .count(14)
            .byte(1)
            .byte(2)
            .byte(3)
            .byte(4)
            .byte(5)
            .number(-1.5)
            .byte(6)
            .text("é")
            .byte(8)
            .count(1)
            .text("__proto__")
            .byte(7)
            .count(0)
            .byte(9)
            .number(0.0)
            .text("Thu Jan 01 1970")
            .byte(10)
            .text("[object Map]")
            .byte(11)
            .byte(12)
            .text("Symbol(s)")
            .byte(5)
            .number(f64::INFINITY)
            .byte(13)
            .text("mine")
            .byte(7)
            .count(1)
            .byte(2)
            .byte(14)
            .byte(8)
            .count(0)
            .byte(0)
            .byte(0)
            .byte(1)
            .text("acme")
            .byte(1)
            .byte(0)
            .byte(2)
            .0
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let expected = Context {
            distinct_id: "user-1".into(),
            person: vec![
                Some(Value::Array(vec![
                    Value::Undefined,
                    Value::Null,
                    Value::Bool(false),
                    Value::Bool(true),
                    Value::Number(-1.5),
                    "é".into(),
                    Value::Object(BTreeMap::from([("__proto__".into(), Value::Array(vec![]))])),
                    Value::Date { ms: 0.0, text: "Thu Jan 01 1970".into() },
                    Value::Exotic(Some("[object Map]".into())),
                    Value::Exotic(None),
                    Value::Symbol("Symbol(s)".into()),
                    Value::Number(f64::INFINITY),
                    Value::Styled {
                        text: Some("mine".into()),
                        value: Box::new(Value::Array(vec![Value::Null])),
                    },
                    Value::Styled { text: None, value: Box::new(Value::Object(BTreeMap::new())) },
                ])),
                None,
            ],
            groups: vec![
                None,
                Some(GroupContext {
                    key: "acme".into(),
                    properties: Some(vec![None, Some(Value::Null)]),
                }),
            ],
        };
        assert_eq!(decode(&everything(), 2, 2), Ok(expected));
    }

    #[test]
    fn a_group_without_a_property_map_differs_from_one_with_an_empty_map() {
        let bytes = Writer::default().text("u").byte(0).byte(1).text("acme").byte(0).0;
        let groups = decode(&bytes, 1, 1).map(|context| context.groups);
        assert_eq!(groups, Ok(vec![Some(GroupContext { key: "acme".into(), properties: None })]));
    }

    #[test]
    fn a_lone_surrogate_survives() {
        let mut bytes = Writer::default().count(3).0;
        bytes.extend([0xed, 0xa0, 0x80]);
        let units = decode(&bytes, 0, 0).map(|context| context.distinct_id.to_utf16());
        assert_eq!(units, Ok(vec![0xd800]));
    }

    #[test]
    fn bytes_cut_anywhere_are_refused() {
        let bytes = everything();
        for end in 0..bytes.len() {
            let cut = bytes.get(..end).unwrap_or_default();
            assert!(decode(cut, 2, 2).is_err(), "{end} of {} bytes", bytes.len());
        }
    }

    #[test]
    fn bytes_behind_the_user_are_refused() {
        let mut bytes = everything();
        bytes.push(0);
        assert_eq!(decode(&bytes, 2, 2), Err(Malformed { offset: bytes.len() - 1 }));
    }

    #[test]
    fn unknown_tags_and_huge_counts_are_refused() {
        let unknown = Writer::default().text("u").byte(15).0;
        assert!(decode(&unknown, 1, 0).is_err());
        let huge = Writer::default().text("u").byte(7).count(u32::MAX).0;
        assert!(decode(&huge, 1, 0).is_err());
    }

    #[test]
    fn values_are_bounded() {
        let user = |lists: u32, count: u32| {
            let mut bytes = Writer::default().text("u").byte(7).count(lists).0;
            for _ in 0..lists {
                bytes.push(7);
                bytes.extend(count.to_le_bytes());
                bytes.resize(bytes.len() + count as usize, 2);
            }
            bytes
        };
        assert!(decode(&user(4, 999_999), 1, 0).is_ok());
        assert!(decode(&user(4, 1_000_000), 1, 0).is_err());
    }

    #[test]
    fn counts_that_lie_at_every_level_reserve_nothing() {
        let mut bytes = Writer::default().text("u").0;
        for _ in 0..MAX_DEPTH {
            bytes.push(7);
            bytes.extend(3_000_000_u32.to_le_bytes());
        }
        bytes.resize(4_000_000, 2);
        assert!(decode(&bytes, 1, 0).is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| {
            let arrays = (0..depth).fold(Writer::default().text("u"), |w, _| w.byte(7).count(1));
            arrays.byte(2).0
        };
        assert!(decode(&nested(500), 1, 0).is_ok());
        assert!(decode(&nested(501), 1, 0).is_err());
        assert!(decode(&nested(100_000), 1, 0).is_err());
    }

    #[test]
    fn only_an_array_or_object_has_a_text_of_its_own() {
        for tags in [&[14, 2][..], &[14, 14, 7, 0, 0, 0, 0], &[14, 0], &[14]] {
            let mut bytes = Writer::default().text("u").0;
            bytes.extend(tags);
            assert!(decode(&bytes, 1, 0).is_err(), "{tags:?}");
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            let mut bytes = everything();
            for _ in 0..3 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = usize::try_from(state >> 32).unwrap_or(0) % bytes.len();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = state.to_le_bytes()[0];
                }
            }
            let _ = decode(&bytes, 2, 2);
        }
    }
}
