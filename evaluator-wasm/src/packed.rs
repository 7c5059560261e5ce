//! A user as one byte array, written by `js/src/pack.ts`.
//!
//! Little-endian. A *string* is its length in bytes as `u32`, then WTF-8. In order:
//!
//! ```text
//! distinct id          string
//! person               u32 count, then for each property that is present: u32 slot, value
//! groups               u32 count, then for each group the user is in:
//!                        u32 group type, key string, then a count and values as for the person, or
//!                        the count ffffffff: in it, without a property map
//! ```
//!
//! A *value* is a tag byte and what follows it:
//!
//! ```text
//! 1  undefined                          8  plain object: u32 count, (key string, value) each
//! 2  null                               9  Date: f64 milliseconds, string String(date)
//! 3  false                             10  exotic: string String(value)
//! 4  true                              11  exotic whose String(value) throws
//! 5  number: f64                       12  symbol: string String(value)
//! 6  string                            15  number: f64, string String(value)
//! 7  array: u32 count, values
//! 13  array or plain object of unusual text: string String(value), then the value as 7 or 8
//! 14  the same whose String(value) throws: the value as 7 or 8
//! ```

use flagpost_engine::{Context, Member, Members, Property, Span, Text, Value};

/// The writer nests at most this deep; anything deeper is not its work.
const MAX_DEPTH: usize = 500;

/// Values inside arrays and objects that the writer writes at most, all of a user's together. Room is
/// reserved for as many as a count says, so that this bounds the memory that any bytes can ask for.
const MAX_VALUES: usize = 4_000_000;

/// See the table of tags.
const STYLED: u8 = 13;
const STYLED_THROWS: u8 = 14;

/// In the place of a count: the group has no property map.
const NO_MAP: u32 = u32::MAX;

/// The bytes are not a user as this module's text describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where reading stopped, in bytes.
    pub offset: usize,
}

/// Texts above this are given back after an unusually large user.
const KEEP_BYTES: usize = 1 << 20;

/// Reads the user that lies in a request, from `start` to its end, into a cleared context.
///
/// # Errors
/// [`Malformed`] for bytes that are cut short, longer than the layout, nested too deep, hold too many
/// values, an unknown tag, slot or group type.
pub fn decode(bytes: &[u8], start: usize, context: &mut Context) -> Result<(), Malformed> {
    // Spans are of these bytes, and what is derived from the user is added to them: the request stays as it is.
    let texts = context.bytes();
    if texts.capacity() > KEEP_BYTES && bytes.len() <= KEEP_BYTES {
        *texts = Vec::new();
    }
    texts.extend_from_slice(bytes);
    let mut reader = Reader { bytes, at: start, values: MAX_VALUES, context };
    let read = reader.user().filter(|()| reader.at == bytes.len());
    read.ok_or(Malformed { offset: reader.at })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Values inside others that may still come.
    values: usize,
    context: &'a mut Context,
}

impl Reader<'_> {
    fn user(&mut self) -> Option<()> {
        let id = self.span()?;
        self.context.set_distinct_id(id);
        let count = self.count()?;
        self.properties(None, count)?;
        for _ in 0..self.count()? {
            let group_type = self.count()?;
            let key = self.span()?;
            let count = self.count()?;
            self.context.set_group(group_type, key, count != NO_MAP)?;
            if count != NO_MAP {
                self.properties(Some(group_type), count)?;
            }
        }
        Some(())
    }

    fn properties(&mut self, group_type: Option<u32>, count: u32) -> Option<()> {
        for _ in 0..count {
            let slot = self.count()?;
            let property = match self.byte()? {
                1 => Property::Undefined,
                2 => Property::Null,
                3 => Property::Bool(false),
                4 => Property::Bool(true),
                5 => Property::Number(self.number()?, None),
                6 => Property::Text(self.span()?),
                15 => Property::Number(self.number()?, Some(self.span()?)),
                tag => {
                    let value = self.value(tag, 0)?;
                    self.context.odd(value)
                }
            };
            self.context.set(group_type, slot, property)?;
        }
        Some(())
    }

    fn value(&mut self, tag: u8, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        // Read here, not by a call of its own: values may nest deep, and the stack is small.
        let text = match tag {
            STYLED => Some(Some(self.text()?)),
            STYLED_THROWS => Some(None),
            _ => None,
        };
        let tag = match text {
            Some(_) => self.byte().filter(|tag| matches!(tag, 7 | 8))?,
            None => tag,
        };
        let value = match tag {
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
                let count = self.elements()?;
                let mut members = Vec::with_capacity(count);
                for _ in 0..count {
                    members.push(Member { name: self.text()?, value: self.nested(depth)? });
                }
                Value::Object(Members::new(members))
            }
            9 => Value::Date { ms: self.number()?, text: self.text()? },
            10 => Value::Exotic(Some(self.text()?)),
            11 => Value::Exotic(None),
            12 => Value::Symbol(self.text()?),
            15 => {
                let number = self.number()?;
                self.span()?;
                Value::Number(number)
            }
            _ => return None,
        };
        Some(match text {
            Some(text) => Value::Styled { text, value: Box::new(value) },
            None => value,
        })
    }

    fn nested(&mut self, depth: usize) -> Option<Value> {
        let tag = self.byte()?;
        self.value(tag, depth + 1)
    }

    /// The count of an array or object: no more than the bytes left could hold.
    fn elements(&mut self) -> Option<usize> {
        let count = self.count()? as usize;
        if count > self.bytes.len() - self.at {
            return None;
        }
        self.values = self.values.checked_sub(count)?;
        Some(count)
    }

    fn text(&mut self) -> Option<Text> {
        let Span { start, length } = self.span()?;
        let rest = self.bytes.get(start as usize..)?;
        Some(Text::from_wtf8(rest.get(..length as usize)?.to_vec()))
    }

    #[inline]
    fn span(&mut self) -> Option<Span> {
        let length = self.count()?;
        let start = u32::try_from(self.at).ok()?;
        let end = self.at.checked_add(length as usize).filter(|end| *end <= self.bytes.len())?;
        self.at = end;
        Some(Span { start, length })
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    #[inline]
    fn count(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    #[inline]
    fn number(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(*taken)
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
        /// A user in no group whose first slot has the value that follows.
        fn value() -> Self {
            Writer::default().text("u").count(1).count(0)
        }
        fn no_groups(self) -> Vec<u8> {
            self.count(0).0
        }
    }

    /// Reads a user, behind the bytes before `start`.
    fn read(bytes: &[u8], start: usize) -> Result<Context, Malformed> {
        let mut context = empty(&[]);
        decode(bytes, start, &mut context).map(|()| context)
    }

    /// A user of whom nothing but these bytes was read: two slots, two group types.
    fn empty(bytes: &[u8]) -> Context {
        let mut context = Context::default();
        context.clear(2, 2);
        context.bytes().extend_from_slice(bytes);
        context
    }

    fn is_malformed(bytes: &[u8]) -> bool {
        read(bytes, 0).is_err()
    }

    /// Every kind of value.
    fn everything() -> Vec<u8> {
        Writer::default()
            .text("user-1")
            .count(2)
            .count(1)
            .byte(15)
            .number(-0.5)
            .text("-0.5")
            .count(0)
            .byte(7)
            .count(16)
            .byte(1)
            .byte(2)
            .byte(3)
            .byte(4)
            .byte(5)
            .number(-1.5)
            .byte(6)
            .text("é")
            .byte(8)
            .count(2)
            .text("b")
            .byte(2)
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
            .byte(15)
            .number(1e21)
            .text("1e+21")
            .byte(6)
            .text("")
            .count(1)
            .count(1)
            .text("acme")
            .count(1)
            .count(1)
            .byte(2)
            .0
    }

    /// Where a text lies.
    fn span(bytes: &[u8], text: &str) -> Span {
        let found = bytes.windows(text.len()).position(|piece| piece == text.as_bytes());
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Span { start: number(found.unwrap_or(usize::MAX)), length: number(text.len()) }
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let bytes = everything();
        let member = |name: &str, value| Member { name: name.into(), value };
        let list = Value::Array(vec![
            Value::Undefined,
            Value::Null,
            Value::Bool(false),
            Value::Bool(true),
            Value::Number(-1.5),
            "é".into(),
            Value::Object(Members::new(vec![
                member("__proto__", Value::Array(vec![])),
                member("b", Value::Null),
            ])),
            Value::Date { ms: 0.0, text: "Thu Jan 01 1970".into() },
            Value::Exotic(Some("[object Map]".into())),
            Value::Exotic(None),
            Value::Symbol("Symbol(s)".into()),
            Value::Number(f64::INFINITY),
            Value::Styled {
                text: Some("mine".into()),
                value: Box::new(Value::Array(vec![Value::Null])),
            },
            Value::Styled { text: None, value: Box::new(Value::Object(Members::default())) },
            Value::Number(1e21),
            "".into(),
        ]);
        let mut expected = empty(&bytes);
        expected.set_distinct_id(span(&bytes, "user-1"));
        expected.set(None, 1, Property::Number(-0.5, Some(span(&bytes, "-0.5"))));
        let odd = expected.odd(list);
        expected.set(None, 0, odd);
        expected.set_group(1, span(&bytes, "acme"), true);
        expected.set(Some(1), 1, Property::Null);
        assert_eq!(read(&bytes, 0).map(|it| format!("{it:?}")), Ok(format!("{expected:?}")));
    }

    #[test]
    fn a_user_behind_other_bytes_is_read() {
        let bytes = [&b"1234"[..], &Writer::default().text("u").count(0).no_groups()].concat();
        let mut expected = empty(&bytes);
        expected.set_distinct_id(Span { start: 8, length: 1 });
        assert_eq!(read(&bytes, 4).map(|it| format!("{it:?}")), Ok(format!("{expected:?}")));
        assert!(is_malformed(&bytes));
    }

    #[test]
    fn a_group_without_a_property_map_differs_from_one_with_an_empty_map() {
        let with = |count: u32| {
            let bytes =
                Writer::default().text("u").count(0).count(1).count(0).text("g").count(count);
            read(&bytes.0, 0).map(|it| format!("{it:?}").contains("has_properties: true"))
        };
        assert_eq!([with(NO_MAP), with(0)], [Ok(false), Ok(true)]);
    }

    #[test]
    fn a_lone_surrogate_survives() {
        let mut bytes = Writer::value().byte(10).count(3);
        bytes.0.extend([0xed, 0xa0, 0x80]);
        let bytes = bytes.no_groups();
        let mut expected = empty(&bytes);
        expected.set_distinct_id(Span { start: 4, length: 1 });
        let text = Text::from_wtf8(vec![0xed, 0xa0, 0x80]);
        assert_eq!(text.to_utf16(), [0xd800]);
        let odd = expected.odd(Value::Exotic(Some(text)));
        expected.set(None, 0, odd);
        assert_eq!(read(&bytes, 0).map(|it| format!("{it:?}")), Ok(format!("{expected:?}")));
    }

    #[test]
    fn bytes_cut_anywhere_are_refused() {
        let bytes = everything();
        for end in 0..bytes.len() {
            let cut = bytes.get(..end).unwrap_or_default();
            assert!(is_malformed(cut), "{end} of {} bytes", bytes.len());
        }
    }

    #[test]
    fn bytes_behind_the_user_are_refused() {
        let mut bytes = everything();
        bytes.push(0);
        assert_eq!(read(&bytes, 0).err(), Some(Malformed { offset: bytes.len() - 1 }));
    }

    #[test]
    fn unknown_slots_group_types_tags_and_huge_counts_are_refused() {
        let user = || Writer::default().text("u");
        let first_slot = |bytes: Writer| bytes.byte(2).no_groups();
        assert!(!is_malformed(&first_slot(user().count(1).count(1))));
        assert!(is_malformed(&first_slot(user().count(1).count(2))));
        assert!(!is_malformed(&user().count(0).count(1).count(1).text("g").count(0).0));
        assert!(is_malformed(&user().count(0).count(1).count(2).text("g").count(0).0));
        assert!(is_malformed(&Writer::value().byte(0).no_groups()));
        assert!(is_malformed(&Writer::value().byte(16).no_groups()));
        assert!(is_malformed(&user().count(u32::MAX).0));
        for tag in [7, 8] {
            assert!(is_malformed(&Writer::value().byte(tag).count(u32::MAX).0));
        }
    }

    #[test]
    fn values_are_bounded() {
        let user = |lists: u32, count: u32| {
            let mut bytes = Writer::value().byte(7).count(lists).0;
            for _ in 0..lists {
                bytes.push(7);
                bytes.extend(count.to_le_bytes());
                bytes.resize(bytes.len() + count as usize, 2);
            }
            Writer(bytes).no_groups()
        };
        assert!(!is_malformed(&user(4, 999_999)));
        assert!(is_malformed(&user(4, 1_000_000)));
    }

    #[test]
    fn counts_that_lie_at_every_level_reserve_nothing() {
        for tag in [7, 8] {
            let mut bytes = Writer::value().0;
            for _ in 0..MAX_DEPTH {
                bytes.push(tag);
                bytes.extend(3_000_000_u32.to_le_bytes());
                if tag == 8 {
                    bytes.extend([0; 4]);
                }
            }
            bytes.resize(4_000_000, 2);
            assert!(is_malformed(&bytes));
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| {
            let arrays = (0..depth).fold(Writer::value(), |w, _| w.byte(7).count(1));
            arrays.byte(2).no_groups()
        };
        assert!(!is_malformed(&nested(500)));
        assert!(is_malformed(&nested(501)));
        assert!(is_malformed(&nested(100_000)));
    }

    #[test]
    fn only_an_array_or_object_has_a_text_of_its_own() {
        for tags in [&[14, 2][..], &[14, 14, 7, 0, 0, 0, 0], &[14, 0], &[14]] {
            let mut bytes = Writer::value();
            bytes.0.extend(tags);
            assert!(is_malformed(&bytes.no_groups()), "{tags:?}");
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
            let _ = read(&bytes, 0);
        }
    }
}
