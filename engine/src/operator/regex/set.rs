//! Sets of ASCII characters.

use super::SET;
use crate::ruleset::{Word, word};

/// A set of ASCII characters, a bit for each code.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Set([u32; SET]);

impl Set {
    pub(crate) fn read(words: &[Word; SET]) -> Self {
        Set(words.each_ref().map(word))
    }

    #[cfg(feature = "compile")]
    /// The words that [`Set::read`] reads.
    pub(crate) fn words(self) -> [u32; SET] {
        self.0
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        let bits = self.0.get(usize::from(byte >> 5));
        bits.is_some_and(|bits| bits >> (byte & 31) & 1 == 1)
    }

    pub(crate) fn add(&mut self, code: u8) {
        if let Some(bits) = self.0.get_mut(usize::from(code >> 5)) {
            *bits |= 1 << (code & 31);
        }
    }

    pub(crate) fn add_all(&mut self, other: &Set) {
        for (bits, more) in self.0.iter_mut().zip(other.0) {
            *bits |= more;
        }
    }
}

#[cfg(feature = "compile")]
impl Set {
    pub(crate) fn of(ranges: &[(u8, u8)]) -> Self {
        let mut set = Set::default();
        for (from, to) in ranges {
            set.add_range(*from, *to);
        }
        set
    }

    pub(crate) fn add_range(&mut self, from: u8, to: u8) {
        for code in from..=to {
            self.add(code);
        }
    }

    pub(crate) fn negated(self) -> Self {
        Set(self.0.map(|bits| !bits))
    }
}
