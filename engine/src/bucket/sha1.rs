//! The rounds of SHA-1 (FIPS 180-4), over words of one message or of four at once.

use super::lanes::Lanes;

/// A word, or the same word of several messages.
pub(super) trait Word: Copy {
    fn all(word: u32) -> Self;
    fn add(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn rotate<const BY: u32>(self) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn all(word: u32) -> Self {
        word
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn rotate<const BY: u32>(self) -> Self {
        self.rotate_left(BY)
    }
}

/// The bytes of a block.
pub(super) const BLOCK: usize = 64;

pub(super) type State<W> = [W; 5];

/// The state before the first block.
pub(super) const START: State<u32> =
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// The constants of rounds 0 to 19, 20 to 39, 40 to 59 and 60 to 79.
pub(super) const K: [u32; 4] = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6];

#[inline(always)]
pub(super) fn choose<W: Word>(b: W, c: W, d: W) -> W {
    c.xor(d).and(b).xor(d)
}

#[inline(always)]
pub(super) fn parity<W: Word>(b: W, c: W, d: W) -> W {
    b.xor(c).xor(d)
}

/// The two sides of the sum share no bit.
#[inline(always)]
pub(super) fn majority<W: Word>(b: W, c: W, d: W) -> W {
    b.and(c).add(b.xor(c).and(d))
}

/// A word of the schedule from those 16, 14, 8 and 3 places before it.
#[inline(always)]
pub(super) fn scheduled<W: Word>(w16: W, w14: W, w8: W, w3: W) -> W {
    w16.xor(w14).xor(w8).xor(w3).rotate::<1>()
}

/// Five rounds, after which every word of the state stands in its place again.
#[inline(always)]
pub(super) fn five_rounds<W: Word>(
    mix: impl Fn(W, W, W) -> W,
    constant: u32,
    [mut a, mut b, mut c, mut d, mut e]: State<W>,
    [v, w, x, y, z]: [W; 5],
) -> State<W> {
    let round = |a: W, b: &mut W, c: W, d: W, e: &mut W, word: W| {
        *e = e.add(W::all(constant)).add(word).add(mix(*b, c, d)).add(a.rotate::<5>());
        *b = b.rotate::<30>();
    };
    round(a, &mut b, c, d, &mut e, v);
    round(e, &mut a, b, c, &mut d, w);
    round(d, &mut e, a, b, &mut c, x);
    round(c, &mut d, e, a, &mut b, y);
    round(b, &mut c, d, e, &mut a, z);
    [a, b, c, d, e]
}

#[inline(always)]
pub(super) fn sum<W: Word>([a, b, c, d, e]: State<W>, [f, g, h, i, j]: State<W>) -> State<W> {
    [a.add(f), b.add(g), c.add(h), d.add(i), e.add(j)]
}

/// The state after one more block of one message.
///
/// Without loops the schedule lives in registers and the frame, which is half as long again as fast.
#[inline(never)]
pub(super) fn compress(state: State<u32>, block: &[u8; BLOCK]) -> State<u32> {
    let (rows, _) = block.as_chunks::<16>();
    let mut words = [0; 16];
    for (row, four) in rows.iter().zip(words.as_chunks_mut::<4>().0) {
        *four = Lanes::of_bytes(*row).words();
    }
    let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15] = &mut words;

    let [k0, k1, k2, k3] = K;
    let mut now = state;
    macro_rules! next {
        ($w16:ident $w14:ident $w8:ident $w3:ident) => {{
            *$w16 = scheduled(*$w16, *$w14, *$w8, *$w3);
            *$w16
        }};
    }
    macro_rules! w {
        (0) => { next!(s0 s2 s8 s13) };
        (1) => { next!(s1 s3 s9 s14) };
        (2) => { next!(s2 s4 s10 s15) };
        (3) => { next!(s3 s5 s11 s0) };
        (4) => { next!(s4 s6 s12 s1) };
        (5) => { next!(s5 s7 s13 s2) };
        (6) => { next!(s6 s8 s14 s3) };
        (7) => { next!(s7 s9 s15 s4) };
        (8) => { next!(s8 s10 s0 s5) };
        (9) => { next!(s9 s11 s1 s6) };
        (10) => { next!(s10 s12 s2 s7) };
        (11) => { next!(s11 s13 s3 s8) };
        (12) => { next!(s12 s14 s4 s9) };
        (13) => { next!(s13 s15 s5 s10) };
        (14) => { next!(s14 s0 s6 s11) };
        (15) => { next!(s15 s1 s7 s12) };
    }
    macro_rules! rounds {
        ($mix:ident $k:ident $($v:tt $w:tt $x:tt $y:tt $z:tt),*) => {
            $(now = five_rounds($mix, $k, now, [w!($v), w!($w), w!($x), w!($y), w!($z)]);)*
        };
    }
    now = five_rounds(choose, k0, now, [*s0, *s1, *s2, *s3, *s4]);
    now = five_rounds(choose, k0, now, [*s5, *s6, *s7, *s8, *s9]);
    now = five_rounds(choose, k0, now, [*s10, *s11, *s12, *s13, *s14]);
    now = five_rounds(choose, k0, now, [*s15, w!(0), w!(1), w!(2), w!(3)]);
    rounds!(parity k1 4 5 6 7 8, 9 10 11 12 13, 14 15 0 1 2, 3 4 5 6 7);
    rounds!(majority k2 8 9 10 11 12, 13 14 15 0 1, 2 3 4 5 6, 7 8 9 10 11);
    rounds!(parity k3 12 13 14 15 0, 1 2 3 4 5, 6 7 8 9 10, 11 12 13 14 15);
    sum(state, now)
}
