//! The patterns on which all of PostHog's engines agree.

use crate::operator::regex::program::UNBOUNDED;

/// What the portability scan saw last.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Start,
    Literal,
    EmptyGroup,
    Char(u8),
}

/// Whether PostHog's engines agree on a pattern, as far as its characters tell.
///
/// PARITY: `getPortableRegexClasses` (@posthog/core), token by token.
pub(super) fn is_portable(pattern: &[u8]) -> bool {
    scan(pattern).is_some()
}

fn scan(pattern: &[u8]) -> Option<()> {
    let at = |index: usize| pattern.get(index).copied();
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
                repetition(pattern.get(index..)?)?;
                if matches!(previous, Token::Start | Token::Char(b'|' | b'(')) {
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
    Some(())
}

fn is_portable_escape(byte: u8) -> bool {
    matches!(byte, b'd' | b'D' | b's' | b'S' | b'w' | b'W' | b'b' | b'B' | b'f' | b'n' | b'r' | b't' | b'v'
        | b' '..=b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// `{n}`, `{n,}` or `{n,m}`.
pub(super) struct Counts {
    pub(super) least: u32,
    /// Cut to [`UNBOUNDED`], as `least` is.
    pub(super) most: u32,
    /// In bytes of the pattern.
    pub(super) length: usize,
}

/// Reads the counts that a pattern begins with; `None` if they are none or one is above 4,294,967,295.
pub(super) fn repetition(pattern: &[u8]) -> Option<Counts> {
    let end = pattern.iter().position(|byte| *byte == b'}')?;
    let mut counts = pattern.get(1..end)?.splitn(2, |byte| *byte == b',');
    let least = count(counts.next()?)?;
    let most = match counts.next() {
        None => least,
        Some([]) => UNBOUNDED,
        Some(digits) => count(digits)?,
    };
    Some(Counts { least, most, length: end + 1 })
}

fn count(digits: &[u8]) -> Option<u32> {
    let mut count = 0_u32;
    for digit in digits {
        let value = digit.checked_sub(b'0').filter(|value| *value < 10)?;
        count = count.checked_mul(10)?.checked_add(u32::from(value))?;
    }
    (!digits.is_empty()).then_some(count.min(UNBOUNDED))
}
