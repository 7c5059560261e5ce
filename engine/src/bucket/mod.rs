//! Who falls where: the hash that spreads users over rollouts and variants.

mod four;
mod lanes;
mod message;
mod sha1;
mod surrogates;

#[allow(unused_imports)]
pub(crate) use four::Four;
use message::END;
#[allow(unused_imports)]
pub(crate) use message::{Message, Tail};
use sha1::{BLOCK, START, compress};

/// The double nearest to `0xfffffffffffffff`, which is 2^60.
const SCALE: f64 = (1_u64 << 60) as f64;

/// The first 60 bits of SHA-1 over all parts together, scaled to 0..=1. Parts are WTF-8, and a lone
/// surrogate is hashed as U+FFFD.
///
/// PARITY: `getFeatureFlagHash` (@posthog/core).
pub(crate) fn position(parts: &[&[u8]]) -> f64 {
    match Tail::new(parts) {
        Some(whole) => whole.position(),
        None => position_of_long(parts),
    }
}

/// [`position`] for any length, byte by byte.
#[cold]
#[inline(never)]
fn position_of_long(parts: &[&[u8]]) -> f64 {
    let bits = parts.iter().map(|part| part.len() as u64 * 8).sum::<u64>();
    let mut bytes = parts.iter().flat_map(|part| surrogates::replaced(part)).chain([END]);
    let mut state = START;
    loop {
        let mut block = [0; BLOCK];
        let mut free = BLOCK;
        for (place, byte) in block.iter_mut().zip(&mut bytes) {
            *place = byte;
            free -= 1;
        }
        let ends = free >= size_of_val(&bits);
        if ends && let Some(end) = block.last_chunk_mut() {
            *end = bits.to_be_bytes();
        }
        state = compress(state, &block);
        if ends {
            let [first, second, ..] = state;
            return position_of(first, second);
        }
    }
}

/// The position that a digest with these first two words stands for.
fn position_of(first: u32, second: u32) -> f64 {
    let bits = u64::from(first) << 32 | u64::from(second);
    (bits >> 4) as f64 / SCALE
}

#[cfg(test)]
mod tests;
