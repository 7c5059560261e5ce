//! From a portable pattern to a list of tokens, refusing what JavaScript refuses.

use super::class::{Item, class, dot, escape};
use super::portable::repetition;
use crate::operator::regex::program::{Instruction, Token, UNBOUNDED};
use crate::operator::regex::set::Set;

/// V8 refuses patterns with more groups that capture.
const MOST_CAPTURES: u32 = 32_767;

/// What a pattern that passed the portability scan is.
pub(super) enum Parsed {
    /// No JavaScript regular expression.
    Invalid,
    /// One of its classes is none in unicode mode.
    NotUnicode,
    Valid {
        tokens: Vec<Token>,
        /// What [`Instruction::Set`] refers to.
        sets: Vec<Set>,
        /// How deep its groups are nested.
        depth: u32,
    },
}

/// What a quantifier would apply to.
#[derive(PartialEq)]
enum Last {
    Nothing,
    Atom,
    Quantifier,
}

pub(super) fn parse(pattern: &[u8]) -> Parsed {
    parse_valid(pattern).unwrap_or(Parsed::Invalid)
}

/// PARITY: `new RegExp(pattern)` in V8, for the patterns that pass the scan.
fn parse_valid(pattern: &[u8]) -> Option<Parsed> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut sets = Vec::new();
    let (mut open, mut depth, mut captures) = (0_u32, 0, 0);
    let mut in_unicode_mode = true;
    let mut last = Last::Nothing;
    let mut rest = pattern;
    while let Some(byte) = rest.first() {
        let mut length = 1;
        let mut set = |set| {
            sets.push(set);
            Token::Step(Instruction::Set(sets.len() as u32 - 1))
        };
        let (token, now) = match byte {
            b'\\' => {
                let read = escape(rest)?;
                length = read.length;
                let token = match read.value {
                    Item::Code(code) => Token::Step(Instruction::Byte(code)),
                    Item::Set(value) => set(value),
                };
                (token, Last::Atom)
            }
            b'[' => {
                let read = class(rest)?;
                length = read.length;
                in_unicode_mode &= read.in_unicode_mode;
                (set(read.value), Last::Atom)
            }
            b'.' => (set(dot()), Last::Atom),
            b'(' => {
                open += 1;
                depth = depth.max(open);
                // The scan lets only `(?:` pass.
                if rest.get(1) == Some(&b'?') {
                    length = 3;
                } else {
                    captures += 1;
                }
                (Token::Open, Last::Nothing)
            }
            b')' => {
                open = open.checked_sub(1)?;
                (Token::Close, Last::Atom)
            }
            b'|' => (Token::Bar, Last::Nothing),
            b'^' => (Token::Step(Instruction::Start), Last::Nothing),
            b'$' => (Token::Step(Instruction::End), Last::Nothing),
            // It makes the quantifier lazy, which changes what is found, not whether.
            b'?' if last == Last::Quantifier => {
                last = Last::Nothing;
                rest = rest.get(1..)?;
                continue;
            }
            b'*' | b'+' | b'?' | b'{' => {
                if last != Last::Atom {
                    return None;
                }
                let (least, most) = match byte {
                    b'*' => (0, UNBOUNDED),
                    b'+' => (1, UNBOUNDED),
                    b'?' => (0, 1),
                    _ => {
                        let counts = repetition(rest)?;
                        length = counts.length;
                        (counts.least, counts.most)
                    }
                };
                if least > most {
                    return None;
                }
                (Token::Repeat { least, most }, Last::Quantifier)
            }
            _ => (Token::Step(Instruction::Byte(*byte)), Last::Atom),
        };
        last = now;
        tokens.push(token);
        rest = rest.get(length..)?;
    }
    if open > 0 || captures > MOST_CAPTURES {
        return None;
    }
    Some(if in_unicode_mode { Parsed::Valid { tokens, sets, depth } } else { Parsed::NotUnicode })
}
