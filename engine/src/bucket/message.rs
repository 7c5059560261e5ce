//! Texts laid out as SHA-1 wants them, short ones without allocation.

use super::position_of;
use super::sha1::{BLOCK, START, compress};
use super::surrogates;

/// The most bytes of one block, beside the mark of the end and the length.
const LONGEST_OF_ONE_BLOCK: usize = BLOCK - 9;

/// The most bytes of two blocks.
const LONGEST: usize = 2 * BLOCK - 9;

/// The byte after a text.
const END: u8 = 0x80;

/// The end of many messages: what follows the flag's key, made once per user.
pub(crate) struct Tail {
    /// The parts, the mark of the end, zeros.
    blocks: [[u8; BLOCK]; 2],
    /// Bytes of the parts.
    length: usize,
}

/// A text of at most 119 bytes, to be hashed.
pub(crate) struct Message {
    /// The padded text, in the first block or the first two; then what [`Message::fill`] spilled.
    blocks: [[u8; BLOCK]; 4],
    /// Whether it takes two blocks.
    long: bool,
}

impl Tail {
    /// These parts together, WTF-8; `None` if they are longer than a message can be.
    pub(crate) fn new(parts: &[&[u8]]) -> Option<Self> {
        let mut blocks = [[0; BLOCK]; 2];
        let length = lay_out(parts, &mut blocks)?;
        (length <= LONGEST).then_some(Tail { blocks, length })
    }

    /// Whether a message of this head and the tail takes two blocks.
    pub(crate) fn is_long_behind(&self, head: &[u8]) -> bool {
        head.len() + self.length > LONGEST_OF_ONE_BLOCK
    }

    /// The [`position`](super::position) of the tail alone.
    pub(super) fn position(mut self) -> f64 {
        let [first, second] = &mut self.blocks;
        let long = self.length > LONGEST_OF_ONE_BLOCK;
        seal(if long { second } else { first }, self.length);
        hash(&self.blocks, 1 + usize::from(long))
    }
}

impl Message {
    /// Room for a message.
    pub(crate) const EMPTY: Self = Message { blocks: [[0; BLOCK]; 4], long: false };

    /// Makes this the message of the head, which is WTF-8, and the tail; `false`, and nothing to
    /// be hashed, if they are too long together.
    pub(crate) fn fill(&mut self, head: &[u8], tail: &Tail) -> bool {
        let length = head.len() + tail.length;
        if length > LONGEST {
            return false;
        }
        self.long = length > LONGEST_OF_ONE_BLOCK;
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
            if self.long
                && let Some(to_second) = rest.first_chunk_mut()
            {
                copy_block(second, to_second);
            }
        }
        let [first, second, ..] = &mut self.blocks;
        seal(if self.long { second } else { first }, length);
        true
    }

    /// Whether it takes two blocks. Messages of as many blocks are best hashed together.
    pub(crate) fn is_long(&self) -> bool {
        self.long
    }

    /// The first block or the second.
    #[inline(always)]
    pub(super) fn block(&self, second: bool) -> &[u8; BLOCK] {
        let [one, two, ..] = &self.blocks;
        if second { two } else { one }
    }

    /// The [`position`](super::position) of the message.
    pub(crate) fn position(&self) -> f64 {
        hash(&self.blocks, 1 + usize::from(self.long))
    }
}

/// The [`position`](super::position) of parts that are too long for a message.
#[cold]
pub(super) fn position_of_long(parts: &[&[u8]]) -> f64 {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut blocks = vec![[0; BLOCK]; (length + 9).div_ceil(BLOCK)];
    lay_out(parts, &mut blocks);
    if let Some(last) = blocks.last_mut() {
        seal(last, length);
    }
    hash(&blocks, blocks.len())
}

/// Writes the parts and the mark of the end over zeros; the bytes of the parts, or `None` if there
/// is no room.
#[inline(never)]
fn lay_out(parts: &[&[u8]], blocks: &mut [[u8; BLOCK]]) -> Option<usize> {
    let bytes = blocks.as_flattened_mut();
    let mut length = 0;
    for part in parts {
        let end = length + part.len();
        copy(part, bytes.get_mut(length..end)?);
        length = end;
    }
    *bytes.get_mut(length)? = END;
    Some(length)
}

/// Ends the last block with the length of all, in bits.
#[inline(never)]
fn seal(last: &mut [u8; BLOCK], length: usize) {
    if let Some(end) = last.last_chunk_mut() {
        *end = (length as u64 * 8).to_be_bytes();
    }
}

/// The position of what fills the first blocks, as many as are used.
#[inline(never)]
fn hash(blocks: &[[u8; BLOCK]], used: usize) -> f64 {
    let [first, second, ..] = blocks.iter().take(used).fold(START, compress);
    position_of(first, second)
}

/// Copies as many bytes as both have, with U+FFFD for each lone surrogate.
///
/// A copy the compiler sees through becomes a call into the host, which costs more than these bytes.
#[inline(never)]
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
