//! Four words as an array.

use crate::bucket::sha1::Word;

/// Four words.
#[derive(Clone, Copy)]
pub(in crate::bucket) struct Lanes([u32; 4]);

impl Lanes {
    /// Four big-endian words.
    #[inline(always)]
    pub(in crate::bucket) fn of_bytes(bytes: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
        Lanes([[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_be_bytes))
    }

    #[inline(always)]
    pub(in crate::bucket) fn words(self) -> [u32; 4] {
        self.0
    }

    /// The first words of all, the second ones, the third and the fourth.
    #[inline(always)]
    pub(in crate::bucket) fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a.0, b.0);
        let ([c0, c1, c2, c3], [d0, d1, d2, d3]) = (c.0, d.0);
        [[a0, b0, c0, d0], [a1, b1, c1, d1], [a2, b2, c2, d2], [a3, b3, c3, d3]].map(Lanes)
    }

    #[inline(always)]
    fn with(self, other: Self, join: impl Fn(u32, u32) -> u32) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Lanes([join(a, e), join(b, f), join(c, g), join(d, h)])
    }
}

impl Word for Lanes {
    #[inline(always)]
    fn all(word: u32) -> Self {
        Lanes([word; 4])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, u32::wrapping_add)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.with(other, |left, right| left ^ right)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.with(other, |left, right| left & right)
    }

    #[inline(always)]
    fn rotate<const BY: u32>(self) -> Self {
        Lanes(self.0.map(|word| word.rotate_left(BY)))
    }
}
