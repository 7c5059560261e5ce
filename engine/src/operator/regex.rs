//! `regex` and `not_regex`, for the patterns on which all of PostHog's engines agree.

use super::{Outcome, Support};
use crate::ecma::{Host, text_of};
use crate::value::Value;

#[derive(Debug)]
pub(crate) struct RegexMatch {
    negate: bool,
    pattern: Pattern,
}

#[derive(Debug, PartialEq)]
enum Pattern {
    /// The empty pattern is found everywhere.
    Everywhere,
    /// Engines may disagree on it: the server decides.
    NotPortable,
    /// Portable by the scan, yet no JavaScript regular expression: never a match, negated or not.
    Invalid,
    Portable {
        id: u32,
        source: String,
    },
    /// The filter's value has no text.
    Throws,
}

impl RegexMatch {
    /// `id` names the pattern towards the host.
    ///
    /// PARITY: `matchFeatureFlagRegex`, `getPortableRegexClasses` (@posthog/core).
    pub(crate) fn compile(
        negate: bool,
        value: &Value,
        id: u32,
        host: &dyn Host,
    ) -> (Self, Support) {
        let pattern = match text_of(value, host) {
            None => Pattern::Throws,
            Some(text) => Pattern::new(&text.to_str_lossy(), id),
        };
        (RegexMatch { negate, pattern }, Support::Supported)
    }

    /// PARITY: `matchFeatureFlagRegex` (@posthog/core).
    pub(crate) fn matches(&self, property: &Value, host: &dyn Host) -> Outcome {
        let Some(text) = text_of(property, host) else { return Outcome::Throws };
        let found = match &self.pattern {
            Pattern::Throws => return Outcome::Throws,
            Pattern::Everywhere => true,
            Pattern::NotPortable => return Outcome::Uncertain,
            Pattern::Invalid => return Outcome::Is(false),
            Pattern::Portable { id, source } => {
                let ascii = text.as_str().filter(|text| text.is_ascii() && !text.contains('\r'));
                match ascii.and_then(|text| host.regex_test(*id, source, text)) {
                    Some(found) => found,
                    None => return Outcome::Uncertain,
                }
            }
        };
        Outcome::Is(found != self.negate)
    }
}

impl Pattern {
    fn new(source: &str, id: u32) -> Self {
        if source.is_empty() {
            return Pattern::Everywhere;
        }
        let Some(classes) = portable_classes(source.as_bytes()) else {
            return Pattern::NotPortable;
        };
        if !is_valid(source.as_bytes()) {
            Pattern::Invalid
        } else if !classes.into_iter().all(is_unicode_class) {
            Pattern::NotPortable
        } else {
            Pattern::Portable { id, source: source.to_owned() }
        }
    }
}

/// What the portability scan saw last.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Start,
    Literal,
    EmptyGroup,
    Char(u8),
}

/// The bracket classes of a portable pattern (brackets included), or `None` if it is not portable.
///
/// PARITY: `getPortableRegexClasses` (@posthog/core), token by token.
fn portable_classes(pattern: &[u8]) -> Option<Vec<&[u8]>> {
    let at = |index: usize| pattern.get(index).copied();
    let mut classes = Vec::new();
    let mut class_start = None;
    let mut previous = Token::Start;
    let mut index = 0;
    while let Some(byte) = at(index) {
        if !byte.is_ascii() {
            return None;
        }
        if byte == b'\\' {
            index += 1;
            let Some(escaped) = at(index) else { break };
            if escaped == b'x' {
                if !(1..=2)
                    .all(|offset| at(index + offset).is_some_and(|digit| digit.is_ascii_hexdigit()))
                {
                    return None;
                }
                index += 2;
            } else if !is_portable_escape(escaped) {
                return None;
            }
            if class_start.is_none() && matches!(escaped, b'b' | b'B') {
                return None;
            }
            previous = Token::Literal;
            index += 1;
            continue;
        }
        match (byte, class_start) {
            (b'[', Some(_)) => return None,
            (b'[', None) => class_start = Some(index),
            (b']', Some(start)) => {
                let content = start + if at(start + 1) == Some(b'^') { 2 } else { 1 };
                if index == content {
                    return None;
                }
                classes.push(pattern.get(start..=index)?);
                class_start = None;
                previous = Token::Literal;
                index += 1;
                continue;
            }
            (_, Some(_)) => {
                if matches!(byte, b'&' | b'-' | b'~') && at(index + 1) == Some(byte) {
                    return None;
                }
                index += 1;
                continue;
            }
            (b'(', None) if at(index + 1) == Some(b'?') => {
                if at(index + 2) != Some(b':') {
                    return None;
                }
                index += 2;
            }
            (b'{', None) => {
                let (counts, _) = repetition(pattern.get(index..)?)?;
                let opens = matches!(previous, Token::Start | Token::Char(b'|' | b'('));
                if opens || counts.iter().flatten().any(|count| *count > u64::from(u32::MAX)) {
                    return None;
                }
            }
            (b'*' | b'+' | b'?' | b'}', None) if matches!(at(index + 1), Some(b'+' | b'{')) => {
                return None;
            }
            _ => {}
        }
        let after_nothing = matches!(previous, Token::EmptyGroup | Token::Char(b'^' | b'$'));
        if matches!(byte, b'*' | b'+' | b'?' | b'{') && after_nothing {
            return None;
        }
        previous = match (byte, previous) {
            (b')', Token::EmptyGroup | Token::Char(b'(')) => Token::EmptyGroup,
            _ => Token::Char(byte),
        };
        index += 1;
    }
    Some(classes)
}

fn is_portable_escape(byte: u8) -> bool {
    matches!(byte, b'd' | b'D' | b's' | b'S' | b'w' | b'W' | b'b' | b'B' | b'f' | b'n' | b'r' | b't' | b'v'
        | b' '..=b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// Reads `{n}`, `{n,}` or `{n,m}`: the counts, the second absent without a comma or without digits,
/// and the length in bytes.
fn repetition(pattern: &[u8]) -> Option<([Option<u64>; 2], usize)> {
    let end = pattern.iter().position(|byte| *byte == b'}')?;
    let body = std::str::from_utf8(pattern.get(1..end)?).ok()?;
    let (least, most) = match body.split_once(',') {
        None => (body, None),
        Some((least, most)) => (least, Some(most)),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if least.is_empty() || !all_digits(least) || !most.is_none_or(all_digits) {
        return None;
    }
    // A count beyond 64 bits is as far beyond every limit as the largest in them.
    let count = |digits: &str| digits.parse().unwrap_or(u64::MAX);
    let most = most.filter(|most| !most.is_empty());
    Some(([Some(count(least)), most.map(count)], end + 1))
}

/// Whether a pattern that passed the scan is a JavaScript regular expression (without flags).
fn is_valid(pattern: &[u8]) -> bool {
    /// What a quantifier would apply to.
    #[derive(PartialEq)]
    enum Last {
        Nothing,
        Atom,
        Quantifier,
    }
    // V8 reads counts up to this and takes every larger one for it.
    const MOST: u64 = i32::MAX as u64;
    let at = |index: usize| pattern.get(index).copied();
    let mut open_groups = 0_u32;
    let mut last = Last::Nothing;
    let mut index = 0;
    while let Some(byte) = at(index) {
        let mut length = 1;
        last = match byte {
            b'\\' => {
                length = match at(index + 1) {
                    None => return false,
                    Some(b'x') => 4,
                    Some(_) => 2,
                };
                Last::Atom
            }
            b'[' => match class_length(pattern.get(index..).unwrap_or_default()) {
                None => return false,
                Some(class) => {
                    length = class;
                    Last::Atom
                }
            },
            b'(' => {
                open_groups += 1;
                if at(index + 1) == Some(b'?') {
                    length = 3;
                }
                Last::Nothing
            }
            b')' => {
                let Some(open) = open_groups.checked_sub(1) else { return false };
                open_groups = open;
                Last::Atom
            }
            b'|' | b'^' | b'$' => Last::Nothing,
            b'?' if last == Last::Quantifier => Last::Nothing,
            b'*' | b'+' | b'?' if last == Last::Atom => Last::Quantifier,
            b'*' | b'+' | b'?' => return false,
            b'{' => {
                let Some((counts, count_length)) =
                    repetition(pattern.get(index..).unwrap_or_default())
                else {
                    return false;
                };
                if let [Some(least), Some(most)] = counts
                    && least.min(MOST) > most.min(MOST)
                {
                    return false;
                }
                if last != Last::Atom {
                    return false;
                }
                length = count_length;
                Last::Quantifier
            }
            _ => Last::Atom,
        };
        index += length;
    }
    open_groups == 0
}

/// The length in bytes of the class a pattern begins with; `None` if it never closes or a range in it
/// runs backwards.
fn class_length(pattern: &[u8]) -> Option<usize> {
    let (items, length) = class_items(pattern)?;
    let ordered = ranges(&items).all(|(from, to)| match (from.code, to.code) {
        (Some(from), Some(to)) => from <= to,
        _ => true,
    });
    ordered.then_some(length)
}

/// Whether a class also compiles in unicode mode: only syntax characters, `/` and `-` may be escaped
/// for themselves, and no range ends in a set such as `\d`.
fn is_unicode_class(class: &[u8]) -> bool {
    class_items(class).is_some_and(|(items, _)| {
        items.iter().all(|item| item.in_unicode_mode)
            && ranges(&items).all(|(from, to)| from.code.is_some() && to.code.is_some())
    })
}

/// One character or set of a class.
#[derive(Clone, Copy)]
struct ClassItem {
    /// The character code; `None` for a set such as `\d`.
    code: Option<u8>,
    in_unicode_mode: bool,
    /// An unescaped `-`, which may join its neighbours to a range.
    dash: bool,
}

fn class_items(pattern: &[u8]) -> Option<(Vec<ClassItem>, usize)> {
    let at = |index: usize| pattern.get(index).copied();
    let mut items = Vec::new();
    let mut index = if at(1) == Some(b'^') { 2 } else { 1 };
    loop {
        let byte = at(index)?;
        let item = |code, in_unicode_mode| ClassItem { code, in_unicode_mode, dash: false };
        let (parsed, length) = match byte {
            b']' => return Some((items, index + 1)),
            b'\\' => match at(index + 1)? {
                b'd' | b'D' | b's' | b'S' | b'w' | b'W' => (item(None, true), 2),
                b'x' => {
                    let hex = std::str::from_utf8(pattern.get(index + 2..index + 4)?).ok()?;
                    (item(Some(u8::from_str_radix(hex, 16).ok()?), true), 4)
                }
                b'b' => (item(Some(8), true), 2),
                b'f' => (item(Some(12), true), 2),
                b'n' => (item(Some(10), true), 2),
                b'r' => (item(Some(13), true), 2),
                b't' => (item(Some(9), true), 2),
                b'v' => (item(Some(11), true), 2),
                escaped => {
                    let syntax = b"^$\\.*+?()[]{}|/-".contains(&escaped);
                    (item(Some(escaped), syntax), 2)
                }
            },
            b'-' => (ClassItem { dash: true, ..item(Some(byte), true) }, 1),
            _ => (item(Some(byte), true), 1),
        };
        items.push(parsed);
        index += length;
    }
}

/// The pairs that a `-` joins.
fn ranges(items: &[ClassItem]) -> impl Iterator<Item = (ClassItem, ClassItem)> {
    let mut rest = items;
    std::iter::from_fn(move || {
        loop {
            match rest {
                [from, dash, to, tail @ ..] if dash.dash => {
                    rest = tail;
                    return Some((*from, *to));
                }
                [_, tail @ ..] => rest = tail,
                [] => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(source: &str) -> &'static str {
        match Pattern::new(source, 0) {
            Pattern::Everywhere => "everywhere",
            Pattern::NotPortable => "not portable",
            Pattern::Invalid => "invalid",
            Pattern::Portable { .. } => "portable",
            Pattern::Throws => "throws",
        }
    }

    #[test]
    fn patterns_are_sorted_as_the_reference_sorts_them() {
        for (expected, sources) in [
            (
                "portable",
                &["^a+b?$", "(?:ab)+", "a{2,3}?", "[a-c-e]", "[\\w.-]", "]", "}", "a|", "\\x41"][..],
            ),
            (
                "not portable",
                &[
                    "(?=x)", "é", "\\bfoo", "[\\d-x]", "[\\B]", "[\\@]", "a++", "^*", "()*", "{2}",
                    "[[a]]", "[]a]", "\\0", "\\<",
                ],
            ),
            (
                "invalid",
                &[
                    "a**", "a{2}*", "*", "(", ")", "[a", "[z-a]", "a{3,2}", "a\\", "a*??", "(*a)",
                    "|?",
                ],
            ),
            ("everywhere", &[""]),
        ] {
            for source in sources {
                assert_eq!(kind(source), expected, "{source}");
            }
        }
    }
}
