//! Four words as a vector of WASM.

use core::arch::wasm32::{
    i32x4_add, i32x4_shl, u8x16_shuffle, u32x4_extract_lane, u32x4_shr, u32x4_shuffle, u32x4_splat,
    u64x2, v128, v128_and, v128_or, v128_xor,
};

use crate::bucket::sha1::Word;

/// Four words.
#[derive(Clone, Copy)]
pub(in crate::bucket) struct Lanes(v128);

impl Lanes {
    /// Four big-endian words.
    #[inline(always)]
    pub(in crate::bucket) fn of_bytes(bytes: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
        let low = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let high = u64::from_le_bytes([i, j, k, l, m, n, o, p]);
        let all = u64x2(low, high);
        Lanes(u8x16_shuffle::<3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12>(all, all))
    }

    #[inline(always)]
    pub(in crate::bucket) fn words(self) -> [u32; 4] {
        [
            u32x4_extract_lane::<0>(self.0),
            u32x4_extract_lane::<1>(self.0),
            u32x4_extract_lane::<2>(self.0),
            u32x4_extract_lane::<3>(self.0),
        ]
    }

    /// The first words of all, the second ones, the third and the fourth.
    #[inline(always)]
    pub(in crate::bucket) fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let ab_low = u32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
        let ab_high = u32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
        let cd_low = u32x4_shuffle::<0, 4, 1, 5>(c.0, d.0);
        let cd_high = u32x4_shuffle::<2, 6, 3, 7>(c.0, d.0);
        [
            Lanes(u32x4_shuffle::<0, 1, 4, 5>(ab_low, cd_low)),
            Lanes(u32x4_shuffle::<2, 3, 6, 7>(ab_low, cd_low)),
            Lanes(u32x4_shuffle::<0, 1, 4, 5>(ab_high, cd_high)),
            Lanes(u32x4_shuffle::<2, 3, 6, 7>(ab_high, cd_high)),
        ]
    }
}

impl Word for Lanes {
    #[inline(always)]
    fn all(word: u32) -> Self {
        Lanes(u32x4_splat(word))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Lanes(i32x4_add(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Lanes(v128_xor(self.0, other.0))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Lanes(v128_and(self.0, other.0))
    }

    #[inline(always)]
    fn rotate<const BY: u32>(self) -> Self {
        Lanes(v128_or(i32x4_shl(self.0, BY), u32x4_shr(self.0, 32 - BY)))
    }
}
