//! Whether a program finds anything in a text.

use super::SET;
use super::program::Instruction;
use super::set::Set;
use crate::ruleset::Word;

/// Instructions looked at in one search before it is given up.
const MOST_STEPS: u32 = 1 << 24;

/// What a search works with; kept for the next one.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// For each instruction the place after the one where it was last looked at.
    seen: Vec<u32>,
    waiting: Vec<usize>,
    next: Vec<usize>,
}

/// Searches an ASCII text; `None` if that takes too many steps. `first` are the bytes a match can begin with
/// that does not begin at the start of the text.
///
/// All ways through the program are followed at once, byte by byte. At one place of the text an instruction
/// is looked at only once, because a second way to it could find nothing else: the work is at
/// most the instructions times the places.
pub(crate) fn find(
    code: &[Word],
    first: Set,
    sets: &[[Word; SET]],
    text: &[u8],
    search: &mut Search,
) -> Option<bool> {
    let end = u32::try_from(text.len()).ok().filter(|end| *end < u32::MAX)?;
    let Search { seen, waiting, next } = search;
    seen.clear();
    seen.resize(code.len(), 0);
    waiting.clear();
    next.clear();
    waiting.push(0);
    let mut steps = 0_u32;
    let mut place = 0;
    loop {
        let byte = text.get(place as usize).copied();
        while let Some(mut at) = waiting.pop() {
            while let (Some(instruction), Some(seen)) = (code.get(at), seen.get_mut(at)) {
                if *seen > place {
                    break;
                }
                *seen = place + 1;
                steps += 1;
                let goes_on = match Instruction::read(instruction) {
                    Instruction::Match => return Some(true),
                    Instruction::Split(over) => {
                        waiting.push(at.wrapping_add_signed(over as isize));
                        true
                    }
                    Instruction::Jump(over) => {
                        at = at.wrapping_add_signed(over as isize);
                        continue;
                    }
                    Instruction::Start => place == 0,
                    Instruction::End => place == end,
                    Instruction::Byte(wanted) => {
                        if byte == Some(wanted) {
                            next.push(at + 1);
                        }
                        false
                    }
                    Instruction::Set(set) => {
                        if let (Some(byte), Some(set)) = (byte, sets.get(set as usize))
                            && Set::read(set).contains(byte)
                        {
                            next.push(at + 1);
                        }
                        false
                    }
                };
                if !goes_on {
                    break;
                }
                at += 1;
            }
        }
        if place == end {
            return Some(false);
        }
        if steps > MOST_STEPS {
            return None;
        }
        place += 1;
        let begins = |byte: &u8| first.contains(*byte);
        let rest = text.get(place as usize..).unwrap_or_default();
        if next.is_empty() {
            // Nothing can happen before the next byte that begins a match, or the end.
            place += rest.iter().position(begins).unwrap_or(rest.len()) as u32;
            next.push(0);
        } else if rest.first().is_none_or(begins) {
            next.push(0);
        }
        std::mem::swap(waiting, next);
    }
}
