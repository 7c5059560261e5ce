//! Short texts laid out as SHA-1 wants them, without allocation.

use super::sha1::{BLOCK, START, compress};
use super::{position_of, surrogates};

/// The most bytes that fit two blocks, beside the mark of the end and the length.
const LONGEST: usize = 2 * BLOCK - 9;

/// The most bytes that fit one block.
const LONGEST_OF_ONE_BLOCK: usize = BLOCK - 9;

/// The byte after a message.
pub(super) const END: u8 = 0x80;

/// The end of many messages: what follows the flag's key, made once per user.
#[derive(Clone, Copy)]
pub(crate) struct Tail {
    /// The parts, the mark of the end, zeros.
    blocks: [[u8; BLOCK]; 2],
    length: usize,
}

/// A text of at most 119 bytes, to be hashed.
#[derive(Clone, Copy)]
pub(crate) struct Message {
    /// The padded text, in the first block or the first two; then what [`Message::fill`] spilled.
    blocks: [[u8; BLOCK]; 4],
    two: bool,
}

impl Tail {
    /// These parts together, WTF-8; `None` if they are longer than a message can be.
    pub(crate) fn new(parts: &[&[u8]]) -> Option<Self> {
        let mut blocks = [[0; BLOCK]; 2];
        let bytes = blocks.as_flattened_mut();
        let mut length = 0;
        for part in parts {
            let end = length + part.len();
            copy(part, bytes.get_mut(length..end)?);
            length = end;
        }
        *bytes.get_mut(length)? = END;
        (length <= LONGEST).then_some(Tail { blocks, length })
    }

    /// Whether a message of this head and the tail takes two blocks.
    pub(crate) fn is_long_behind(&self, head: &[u8]) -> bool {
        head.len() + self.length > LONGEST_OF_ONE_BLOCK
    }

    /// The [`position`](super::position) of the tail alone.
    pub(super) fn position(mut self) -> f64 {
        let two = self.length > LONGEST_OF_ONE_BLOCK;
        let [first, second] = &mut self.blocks;
        seal(if two { second } else { first }, self.length);
        hash([first, second], two)
    }
}

impl Message {
    pub(crate) const EMPTY: Self = Message { blocks: [[0; BLOCK]; 4], two: false };

    /// Makes this the message of the head, which is WTF-8, and the tail; `false`, and nothing to
    /// be hashed, if they are too long together.
    pub(crate) fn fill(&mut self, head: &[u8], tail: &Tail) -> bool {
        let length = head.len() + tail.length;
        if length > LONGEST {
            return false;
        }
        self.two = length > LONGEST_OF_ONE_BLOCK;
        // Whole blocks are copied, for a fixed number of bytes costs less than counting them. The
        // zeros after the tail wipe out what was here.
        let Some((front, rest)) = self.blocks.as_flattened_mut().split_at_mut_checked(head.len())
        else {
            return false;
        };
        copy(head, front);
        let [first, second] = &tail.blocks;
        if let Some((to_first, rest)) = rest.split_first_chunk_mut() {
            copy_block(first, to_first);
            if self.two
                && let Some(to_second) = rest.first_chunk_mut()
            {
                copy_block(second, to_second);
            }
        }
        let [first, second, ..] = &mut self.blocks;
        seal(if self.two { second } else { first }, length);
        true
    }

    /// Whether it takes two blocks. Messages of as many blocks are best hashed together.
    pub(crate) fn is_long(&self) -> bool {
        self.two
    }

    /// The first block and the second.
    pub(super) fn blocks(&self) -> [&[u8; BLOCK]; 2] {
        let [first, second, ..] = &self.blocks;
        [first, second]
    }

    /// See [`position`](super::position).
    pub(crate) fn position(&self) -> f64 {
        hash(self.blocks(), self.two)
    }
}

fn hash([first, second]: [&[u8; BLOCK]; 2], two: bool) -> f64 {
    let mut state = compress(START, first);
    if two {
        state = compress(state, second);
    }
    let [first, second, ..] = state;
    position_of(first, second)
}

/// Ends the last block with the length in bits, whose upper bytes are zero.
fn seal(last: &mut [u8; BLOCK], length: usize) {
    let [.., high, low] = last;
    [*high, *low] = ((length * 8) as u16).to_be_bytes();
}

/// Copies as many bytes as both have, with U+FFFD for each lone surrogate.
///
/// A copy the compiler sees through becomes a call into the host, which costs more than these bytes.
#[inline(always)]
fn copy(from: &[u8], to: &mut [u8]) {
    if let (Some(end), Some(to_end)) = (from.last_chunk::<8>(), to.last_chunk_mut::<8>()) {
        *to_end = *end;
        let mut suspicious = surrogates::may_be_in(*end);
        for (eight, to_eight) in from.as_chunks::<8>().0.iter().zip(to.as_chunks_mut::<8>().0) {
            if suspicious {
                break;
            }
            *to_eight = *eight;
            suspicious = surrogates::may_be_in(*eight);
        }
        if suspicious {
            surrogates::copy(from, to);
        }
    } else {
        surrogates::copy(from, to);
    }
}

#[inline(always)]
fn copy_block(from: &[u8; BLOCK], to: &mut [u8; BLOCK]) {
    for (part, to_part) in from.as_chunks::<32>().0.iter().zip(to.as_chunks_mut::<32>().0) {
        *to_part = *part;
    }
}
