//! Whether a program finds anything in a text.

use super::program::{Instruction, Program};
use super::set::Set;

/// Instructions looked at in one search before it is given up.
const MOST_STEPS: u32 = 1 << 24;

/// Searches an ASCII text; `None` if that takes too many steps.
///
/// All ways through the program are followed at once, byte by byte. At one place of the text an instruction
/// is looked at only once, because a second way to it could find nothing else: the work is at
/// most the instructions times the places.
pub(super) fn find(program: &Program, sets: &[Set], text: &[u8]) -> Option<bool> {
    let code = program.instructions.as_slice();
    let end = u32::try_from(text.len()).ok().filter(|end| *end < u32::MAX)?;
    // For each instruction the place after the one where it was last looked at.
    let mut seen = vec![0_u32; code.len()];
    let mut waiting = vec![0_usize];
    let mut next = Vec::new();
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
                let goes_on = match *instruction {
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
                            && set.contains(byte)
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
        let begins = |byte: &u8| program.first.contains(*byte);
        let rest = text.get(place as usize..).unwrap_or_default();
        if next.is_empty() {
            // Nothing can happen before the next byte that begins a match, or the end.
            place += rest.iter().position(begins).unwrap_or(rest.len()) as u32;
            next.push(0);
        } else if rest.first().is_none_or(begins) {
            next.push(0);
        }
        std::mem::swap(&mut waiting, &mut next);
    }
}
