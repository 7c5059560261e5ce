//! What the matcher runs, and how it is put together.

use super::set::Set;
use super::{SET, TOKEN};
use crate::ruleset::{Word, word};

/// The count that V8 takes for "any number", itself and every larger one.
pub(crate) const UNBOUNDED: u32 = i32::MAX as u32;

/// One step of a program. Targets are distances from the step itself, so that a copy of steps that
/// lead nowhere else means the same.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instruction {
    /// Takes this byte.
    Byte(u8),
    /// Takes a byte of this set.
    Set(u32),
    /// Goes on if nothing was taken before: `^`.
    Start,
    /// Goes on if nothing is left: `$`.
    End,
    /// Goes on with the next step and over there.
    Split(i32),
    /// Goes on over there only.
    Jump(i32),
    Match,
}

/// A piece of a pattern, as it is read from one. Groups nest as their brackets do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token {
    Step(Instruction),
    Open,
    Bar,
    Close,
    /// `least <= most <= UNBOUNDED` times what stands before it.
    Repeat {
        least: u32,
        most: u32,
    },
}

impl Instruction {
    /// Three bits that tell what it is, and its operand.
    pub(crate) fn read(of: &Word) -> Instruction {
        let code = word(of);
        let operand = code >> 3;
        match code & 7 {
            0 => Instruction::Byte((operand & 0xff) as u8),
            1 => Instruction::Set(operand),
            2 => Instruction::Start,
            3 => Instruction::End,
            4 => Instruction::Split(code.cast_signed() >> 3),
            5 => Instruction::Jump(code.cast_signed() >> 3),
            _ => Instruction::Match,
        }
    }

    /// The word that [`Instruction::read`] reads. No program is so long that targets lose bits.
    pub(crate) fn word(self) -> u32 {
        match self {
            Instruction::Byte(byte) => u32::from(byte) << 3,
            Instruction::Set(set) => set << 3 | 1,
            Instruction::Start => 2,
            Instruction::End => 3,
            Instruction::Split(over) => over.cast_unsigned() << 3 | 4,
            Instruction::Jump(over) => over.cast_unsigned() << 3 | 5,
            Instruction::Match => 6,
        }
    }
}

impl Instruction {
    fn bytes(self) -> Word {
        self.word().to_le_bytes()
    }
}

impl Token {
    const STEP: u32 = 0;
    const OPEN: u32 = 1;
    const BAR: u32 = 2;
    const CLOSE: u32 = 3;
    const REPEAT: u32 = 4;

    /// The words that [`Program::build`] reads: what it is, then a step's instruction or both counts.
    #[cfg(feature = "compile")]
    pub(crate) fn words(self) -> [u32; TOKEN] {
        match self {
            Token::Step(instruction) => [Token::STEP, instruction.word(), 0],
            Token::Open => [Token::OPEN, 0, 0],
            Token::Bar => [Token::BAR, 0, 0],
            Token::Close => [Token::CLOSE, 0, 0],
            Token::Repeat { least, most } => [Token::REPEAT, least, most],
        }
    }
}

#[derive(Debug)]
pub(crate) struct Program {
    /// See [`Instruction::read`].
    pub(crate) code: Vec<Word>,
    /// The bytes a match can begin with that does not begin at the start of the text.
    pub(crate) first: Set,
}

/// A group whose end has not come yet.
struct Group {
    start: usize,
    /// Where its last alternative starts.
    alternative: usize,
    /// How many of the waiting jumps are not its own.
    jumps: usize,
}

impl Program {
    /// Builds the program of a pattern, given as [`Token`]s, in which every count above `cut` is `cut`; `None` if it has more
    /// than `limit` instructions, which is known before they are written.
    ///
    /// On a text of L bytes the program with `cut` = L + 1 finds what the program with all counts finds.
    /// A part x of a pattern relates places where it starts to places where it ends, never an earlier
    /// one, and `x{n,m}` is the union of x^j for j from n to m. Of more than L such steps at least one stays
    /// where it is, because a text has only L + 1 places. It can be left out or taken again, so
    /// x^j = x^(L+1) for every j > L + 1, and neither n nor m needs to be larger.
    ///
    /// JavaScript refuses to go through a loop once more without taking anything. That leaves out only
    /// ways that return to the same place, so the same texts match.
    pub(crate) fn build(
        tokens: &[[Word; TOKEN]],
        sets: &[[Word; SET]],
        cut: u32,
        limit: usize,
    ) -> Option<Program> {
        let mut code = Vec::new();
        // Ends of alternatives, which wait to learn where their group ends.
        let mut jumps = Vec::new();
        let mut groups = Vec::new();
        let mut group = Group { start: 0, alternative: 0, jumps: 0 };
        let mut atom = 0;
        for [kind, first, second] in tokens {
            match word(kind) {
                Token::STEP => {
                    atom = code.len();
                    code.push(*first);
                }
                Token::OPEN => {
                    groups.push(group);
                    let start = code.len();
                    group = Group { start, alternative: start, jumps: jumps.len() };
                }
                Token::BAR => {
                    let over = code.len().checked_sub(group.alternative)? + 2;
                    insert(&mut code, group.alternative, Instruction::Split(over as i32));
                    jumps.push(code.len());
                    code.push(Instruction::Jump(0).bytes());
                    group.alternative = code.len();
                }
                Token::CLOSE => {
                    land(&mut code, &mut jumps, group.jumps);
                    atom = group.start;
                    group = groups.pop()?;
                }
                Token::REPEAT => {
                    let (least, most) = (word(first), word(second));
                    let most = if most == UNBOUNDED { most } else { most.min(cut) };
                    repeat(&mut code, atom, least.min(cut), most, limit)?;
                }
                _ => {}
            }
            if code.len() >= limit {
                return None;
            }
        }
        land(&mut code, &mut jumps, 0);
        code.push(Instruction::Match.bytes());
        let first = first(&code, sets);
        Some(Program { code, first })
    }
}

/// Puts an instruction before others.
#[inline(never)]
fn insert(code: &mut Vec<Word>, place: usize, instruction: Instruction) {
    let mut moved = instruction.bytes();
    for word in code.iter_mut().skip(place) {
        std::mem::swap(word, &mut moved);
    }
    code.push(moved);
}

/// Leads the jumps that wait, but for so many, to the end of the code.
#[inline(never)]
fn land(code: &mut [Word], jumps: &mut Vec<usize>, others: usize) {
    let end = code.len();
    while jumps.len() > others {
        let Some(position) = jumps.pop() else { return };
        if let Some(jump) = code.get_mut(position) {
            *jump = Instruction::Jump((end - position) as i32).bytes();
        }
    }
}

/// Repeats the instructions from `start` on.
#[inline(never)]
fn repeat(code: &mut Vec<Word>, start: usize, least: u32, most: u32, limit: usize) -> Option<()> {
    let length = code.len().checked_sub(start)?;
    if most == 0 {
        code.truncate(start);
    }
    if most == 0 || length == 0 {
        return Some(());
    }
    let unbounded = most == UNBOUNDED;
    let copies = if unbounded { least.max(1) } else { most };
    let splits = if unbounded { 1 + u32::from(least == 0) } else { most.checked_sub(least)? };
    let total = u64::from(copies) * length as u64 + u64::from(splits);
    let end = usize::try_from(total).ok()?.checked_add(start).filter(|end| *end <= limit)?;
    let mut body = start;
    if least == 0 {
        insert(code, start, Instruction::Split((end - start) as i32));
        body += 1;
    }
    for copy in 1..copies {
        if copy >= least && !unbounded {
            code.push(Instruction::Split((end - code.len()) as i32).bytes());
        }
        for place in body..body + length {
            code.extend(code.get(place).copied());
        }
    }
    if unbounded {
        code.push(Instruction::Split(-(length as i32)).bytes());
    }
    Some(())
}

/// What can be taken first away from the start and the end of a text.
#[inline(never)]
fn first(code: &[Word], sets: &[[Word; SET]]) -> Set {
    let mut found = Set::default();
    let mut seen = vec![false; code.len()];
    let mut waiting = vec![0];
    while let Some(at) = waiting.pop() {
        let (Some(instruction), Some(seen @ false)) = (code.get(at), seen.get_mut(at)) else {
            continue;
        };
        *seen = true;
        match Instruction::read(instruction) {
            Instruction::Byte(byte) => found.add(byte),
            Instruction::Set(set) => {
                found.add_all(&sets.get(set as usize).map(Set::read).unwrap_or_default())
            }
            Instruction::Split(over) => {
                waiting.extend([at + 1, at.wrapping_add_signed(over as isize)]);
            }
            Instruction::Jump(over) => waiting.push(at.wrapping_add_signed(over as isize)),
            Instruction::Start | Instruction::End | Instruction::Match => {}
        }
    }
    found
}
