//! A ruleset's tables, as they lie in its bytes. Reading never fails: what is not there reads as nothing.

use super::layout::{COHORT, FLAG, MALFORMED, PREDICATE};

/// Four bytes of a table.
pub(crate) type Word = [u8; 4];

#[inline(always)]
pub(crate) fn word(word: &Word) -> u32 {
    u32::from_le_bytes(*word)
}

/// A double from its two words.
#[inline(always)]
pub(crate) fn double(low: &Word, high: &Word) -> f64 {
    f64::from_bits(u64::from(word(low)) | u64::from(word(high)) << 32)
}

/// Bytes as words; what is left over at their end is not seen.
pub(super) fn words(bytes: &[u8]) -> &[Word] {
    bytes.as_chunks().0
}

/// Words as records of N words.
pub(super) fn records<const N: usize>(words: &[Word]) -> &[[Word; N]] {
    words.as_chunks().0
}

/// See [`super::layout`] for what the tables hold.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) flags: &'a [[Word; FLAG]],
    pub(crate) order: &'a [Word],
    pub(crate) slots: &'a [[Word; 2]],
    pub(crate) group_types: &'a [[Word; 2]],
    pub(crate) strings: &'a [[Word; 2]],
    pub(crate) payloads: &'a [[Word; 3]],
    pub(crate) predicates: &'a [[Word; PREDICATE]],
    pub(crate) cohorts: &'a [[Word; COHORT]],
    pub(crate) problems: &'a [[Word; 2]],
    pub(crate) pool: &'a [Word],
    pub(crate) texts: &'a [u8],
}

impl<'a> View<'a> {
    /// The text of a reference.
    #[inline]
    pub(crate) fn text(&self, [offset, length]: &[Word; 2]) -> &'a [u8] {
        self.text_at(word(offset), word(length)).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn text_at(&self, offset: u32, length: u32) -> Option<&'a [u8]> {
        self.texts.get(offset as usize..)?.get(..length as usize)
    }

    /// So many words of the pool.
    #[inline]
    pub(crate) fn block<const N: usize>(&self, at: u32) -> Option<&'a [Word; N]> {
        self.pool.get(at as usize..)?.first_chunk()
    }

    /// A list whose entries are N words each; `None` if it is malformed.
    #[inline(always)]
    pub(crate) fn list<const N: usize>(&self, at: u32) -> Option<&'a [[Word; N]]> {
        Some(records(self.list_of(at, N)?))
    }

    /// The words of a list's entries.
    #[inline(always)]
    pub(super) fn list_of(&self, at: u32, words: usize) -> Option<&'a [Word]> {
        if at == MALFORMED {
            return None;
        }
        let (count, rest) = self.pool.get(at as usize..)?.split_first()?;
        rest.get(..(word(count) as usize).checked_mul(words)?)
    }
}
