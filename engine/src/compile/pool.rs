//! The two heaps of a ruleset: words and texts.

use std::collections::BTreeMap;

/// Lists, operands and texts, in the order they are added.
pub(super) struct Pool {
    pub(super) words: Vec<u32>,
    pub(super) texts: Vec<u8>,
    known: BTreeMap<Box<[u8]>, [u32; 2]>,
}

impl Pool {
    pub(super) fn new() -> Self {
        // At 0 lies the empty list.
        Pool { words: vec![0], texts: Vec::new(), known: BTreeMap::new() }
    }

    /// The reference to a text, which is kept once.
    pub(super) fn text(&mut self, text: &[u8]) -> [u32; 2] {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let reference = [self.texts.len() as u32, text.len() as u32];
        self.texts.extend_from_slice(text);
        self.known.insert(text.into(), reference);
        reference
    }

    /// Adds words; gives the index of the first.
    pub(super) fn block(&mut self, words: &[u32]) -> u32 {
        let at = self.words.len() as u32;
        self.words.extend_from_slice(words);
        at
    }

    /// Adds a list.
    pub(super) fn list<const N: usize>(&mut self, entries: &[[u32; N]]) -> u32 {
        if entries.is_empty() { 0 } else { self.own_list(entries) }
    }

    /// Adds a list that is not the empty one, even if it is empty.
    pub(super) fn own_list<const N: usize>(&mut self, entries: &[[u32; N]]) -> u32 {
        let at = self.block(&[entries.len() as u32]);
        self.block(entries.as_flattened());
        at
    }
}
