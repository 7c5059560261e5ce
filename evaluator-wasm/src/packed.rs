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
//! 1  undefined          4  true
//! 2  null               5  number: f64
//! 3  false              6  string
//! 7  number: f64, string String(number)
//! 8  anything else: a byte of bits, then what the first three bits announce, in this order
//!      bit 0  string String(value), which otherwise throws
//!      bit 1  string: the canonical text, lower-cased, which the reference otherwise refuses to write
//!      bit 2  f64: milliseconds of a Date
//!      bit 3  the value can stand in JSON
//!      bit 4  the reference takes it for true
//!      bit 5  it is a symbol
//! ```

use flagpost_engine::{Context, Odd, Property, Span};

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
/// [`Malformed`] for bytes that are cut short, longer than the layout, hold an unknown tag, slot or group
/// type.
pub fn decode(bytes: &[u8], start: usize, context: &mut Context) -> Result<(), Malformed> {
    // Spans are of these bytes, and what is derived from the user is added to them: the request stays as it is.
    let texts = context.bytes();
    if texts.capacity() > KEEP_BYTES && bytes.len() <= KEEP_BYTES {
        *texts = Vec::new();
    }
    texts.extend_from_slice(bytes);
    let mut reader = Reader { bytes, at: start, context };
    let read = reader.user().filter(|()| reader.at == bytes.len());
    read.ok_or(Malformed { offset: reader.at })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
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
                7 => Property::Number(self.number()?, Some(self.span()?)),
                8 => {
                    let odd = self.odd()?;
                    self.context.odd(odd)
                }
                _ => return None,
            };
            self.context.set(group_type, slot, property)?;
        }
        Some(())
    }

    fn odd(&mut self) -> Option<Odd> {
        let bits = self.byte().filter(|bits| bits >> 6 == 0)?;
        let is = |bit: u8| bits >> bit & 1 == 1;
        let text = if is(0) { Some(self.span()?) } else { None };
        let lower = if is(1) { Some(self.span()?) } else { None };
        let time = if is(2) { Some(self.number()?) } else { None };
        let throws_in_template = text.is_none() || is(5);
        Some(Odd { text, throws_in_template, lower, time, is_json: is(3), truth: is(4) })
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
            .byte(7)
            .number(-0.5)
            .text("-0.5")
            .count(0)
            .byte(8)
            .byte(0b01_1111)
            .text("[object Map]")
            .text("{\"b\":null}")
            .number(86_400_000.0)
            .count(1)
            .count(1)
            .text("acme")
            .count(2)
            .count(1)
            .byte(2)
            .count(0)
            .byte(8)
            .byte(0)
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
        let mut expected = empty(&bytes);
        expected.set_distinct_id(span(&bytes, "user-1"));
        expected.set(None, 1, Property::Number(-0.5, Some(span(&bytes, "-0.5"))));
        let odd = expected.odd(Odd {
            text: Some(span(&bytes, "[object Map]")),
            throws_in_template: false,
            lower: Some(span(&bytes, "{\"b\":null}")),
            time: Some(86_400_000.0),
            is_json: true,
            truth: true,
        });
        expected.set(None, 0, odd);
        expected.set_group(1, span(&bytes, "acme"), true);
        expected.set(Some(1), 1, Property::Null);
        let odd = expected.odd(Odd { throws_in_template: true, ..Odd::default() });
        expected.set(Some(1), 0, odd);
        assert_eq!(read(&bytes, 0).map(|it| format!("{it:?}")), Ok(format!("{expected:?}")));
    }

    #[test]
    fn what_is_known_of_a_value_is_read_bit_by_bit() {
        let odd = |bits: u8, more: &[u8]| {
            let mut bytes = Writer::value().byte(8).byte(bits).0;
            bytes.extend(more);
            let read = read(&Writer(bytes.clone()).no_groups(), 0);
            read.map(|context| format!("{context:?}"))
        };
        let text = Span { start: 19, length: 1 };
        let expected = |more: &[u8], bits: u8, known: Odd| {
            let bytes = Writer::value().byte(8).byte(bits).0;
            let mut context = empty(&[&bytes, more, &[0; 4]].concat());
            context.set_distinct_id(Span { start: 4, length: 1 });
            let odd = context.odd(known);
            context.set(None, 0, odd);
            Ok(format!("{context:?}"))
        };
        let none = Odd { throws_in_template: true, ..Odd::default() };
        let letter = [1, 0, 0, 0, b'x'];
        let time = 7.0_f64.to_le_bytes();
        for (bits, more, known) in [
            (0, &[][..], none),
            (1, &letter, Odd { text: Some(text), throws_in_template: false, ..none }),
            (2, &letter, Odd { lower: Some(text), ..none }),
            (4, &time, Odd { time: Some(7.0), ..none }),
            (8, &[], Odd { is_json: true, ..none }),
            (16, &[], Odd { truth: true, ..none }),
            (33, &letter, Odd { text: Some(text), ..none }),
        ] {
            assert_eq!(odd(bits, more), expected(more, bits, known), "{bits}");
        }
        for bits in [64, 128] {
            assert!(odd(bits, &[]).is_err(), "{bits}");
        }
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
        let mut bytes = Writer::value().byte(6).count(3);
        bytes.0.extend([0xed, 0xa0, 0x80]);
        let bytes = bytes.no_groups();
        let mut expected = empty(&bytes);
        expected.set_distinct_id(Span { start: 4, length: 1 });
        expected.set(None, 0, Property::Text(Span { start: 18, length: 3 }));
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
        assert!(is_malformed(&Writer::value().byte(9).no_groups()));
        assert!(is_malformed(&user().count(u32::MAX).0));
        assert!(is_malformed(&Writer::value().byte(6).count(u32::MAX).0));
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
