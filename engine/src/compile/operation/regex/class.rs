//! Escapes and bracket classes.

use crate::operator::regex::set::Set;

/// A character or a set, as an escape or a member of a class names it.
pub(super) enum Item {
    /// A character code, up to 255 if spelled `\xff`.
    Code(u8),
    Set(Set),
}

/// What was read, its length in bytes and whether JavaScript also reads it in unicode mode.
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) length: usize,
    pub(super) in_unicode_mode: bool,
}

/// `.`
pub(super) fn dot() -> Set {
    Set::of(&[(b'\n', b'\n'), (b'\r', b'\r')]).negated()
}

fn add_item(set: &mut Set, item: &Item) {
    match item {
        Item::Code(code) => set.add(*code),
        Item::Set(more) => set.add_all(more),
    }
}

/// Reads a portable escape, from its backslash on; `None` if the pattern ends there.
pub(super) fn escape(pattern: &[u8]) -> Option<Read<Item>> {
    let letter = *pattern.get(1)?;
    let digits = || Set::of(&[(b'0', b'9')]);
    let spaces = || Set::of(&[(b'\t', b'\r'), (b' ', b' ')]);
    let words = || Set::of(&[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')]);
    let (mut length, mut in_unicode_mode) = (2, true);
    let value = match letter {
        b'd' => Item::Set(digits()),
        b'D' => Item::Set(digits().negated()),
        b's' => Item::Set(spaces()),
        b'S' => Item::Set(spaces().negated()),
        b'w' => Item::Set(words()),
        b'W' => Item::Set(words().negated()),
        b'x' => {
            length = 4;
            let hex = std::str::from_utf8(pattern.get(2..4)?).ok()?;
            Item::Code(u8::from_str_radix(hex, 16).ok()?)
        }
        b'b' => Item::Code(8),
        b't' => Item::Code(b'\t'),
        b'n' => Item::Code(b'\n'),
        b'v' => Item::Code(11),
        b'f' => Item::Code(12),
        b'r' => Item::Code(b'\r'),
        other => {
            in_unicode_mode = b"^$\\.*+?()[]{}|/-".contains(&other);
            Item::Code(other)
        }
    };
    Some(Read { value, length, in_unicode_mode })
}

/// Reads the class that a pattern begins with; `None` if it never closes or a range in it runs
/// backwards. In unicode mode only syntax characters, `/` and `-` may be escaped for themselves, and no
/// range may end in a set such as `\d`.
pub(super) fn class(pattern: &[u8]) -> Option<Read<Set>> {
    let negate = pattern.get(1) == Some(&b'^');
    let mut length = if negate { 2 } else { 1 };
    let mut in_unicode_mode = true;
    let mut set = Set::default();
    let mut member = |length: &mut usize| {
        let rest = pattern.get(*length..)?;
        let read = match rest.first()? {
            b'\\' => escape(rest)?,
            byte => Read { value: Item::Code(*byte), length: 1, in_unicode_mode: true },
        };
        *length += read.length;
        in_unicode_mode &= read.in_unicode_mode;
        Some(read.value)
    };
    let mut ranges_end_in_characters = true;
    while *pattern.get(length)? != b']' {
        let from = member(&mut length)?;
        let joined = pattern.get(length) == Some(&b'-')
            && pattern.get(length + 1).is_some_and(|byte| *byte != b']');
        if !joined {
            add_item(&mut set, &from);
            continue;
        }
        length += 1;
        let to = member(&mut length)?;
        match (&from, &to) {
            (Item::Code(from), Item::Code(to)) if from > to => return None,
            (Item::Code(from), Item::Code(to)) => set.add_range(*from, *to),
            _ => ranges_end_in_characters = false,
        }
    }
    Some(Read {
        value: if negate { set.negated() } else { set },
        length: length + 1,
        in_unicode_mode: in_unicode_mode && ranges_end_in_characters,
    })
}
