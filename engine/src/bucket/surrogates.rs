//! Lone surrogates in WTF-8, which the hash takes for U+FFFD, as `TextEncoder` does.

/// The byte all surrogates begin with, as do the characters from U+D000 on.
const LEAD: u8 = 0xed;

/// The second bytes of surrogates, not of other characters.
const SECOND: std::ops::RangeInclusive<u8> = 0xa0..=0xbf;

/// U+FFFD, as long as a surrogate.
const REPLACEMENT: [u8; 3] = [0xef, 0xbf, 0xbd];

/// Whether one of the bytes may begin a surrogate.
#[inline(always)]
pub(super) fn may_be_in(bytes: [u8; 8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    // Some byte of the difference is zero: it borrows, and nothing but a borrow sets its high bit.
    let difference = u64::from_ne_bytes(bytes) ^ u64::from_ne_bytes([LEAD; 8]);
    difference.wrapping_sub(ONES) & !difference & HIGHS != 0
}

/// Copies as many bytes as both have, with each lone surrogate replaced.
#[inline(never)]
pub(super) fn copy(from: &[u8], to: &mut [u8]) {
    let mut replacement = [].iter();
    for ((index, byte), to_byte) in from.iter().enumerate().zip(to) {
        if *byte == LEAD && from.get(index + 1).is_some_and(|second| SECOND.contains(second)) {
            replacement = REPLACEMENT.iter();
        }
        *to_byte = *replacement.next().unwrap_or(byte);
    }
}
