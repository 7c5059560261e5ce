//! Who falls where: the hash that spreads users over rollouts and variants.

mod four;
mod lanes;
mod message;
mod sha1;
mod surrogates;

pub(crate) use four::Four;
pub(crate) use message::{Message, Tail};

/// The double nearest to `0xfffffffffffffff`, which is 2^60.
const SCALE: f64 = (1_u64 << 60) as f64;

/// The first 60 bits of SHA-1 over all parts together, scaled to 0..=1. Parts are WTF-8, and a lone
/// surrogate is hashed as U+FFFD.
///
/// PARITY: `getFeatureFlagHash` (@posthog/core).
pub(crate) fn position(parts: &[&[u8]]) -> f64 {
    match Tail::new(parts) {
        Some(whole) => whole.position(),
        None => message::position_of_long(parts),
    }
}

/// The position that a digest with these first two words stands for.
fn position_of(first: u32, second: u32) -> f64 {
    let bits = u64::from(first) << 32 | u64::from(second);
    (bits >> 4) as f64 / SCALE
}

#[cfg(test)]
mod tests;
