//! Who falls where: the hash that spreads users over rollouts and variants.

use sha1::{Digest, Sha1};

use crate::text::Text;

/// The double nearest to `0xfffffffffffffff`, which is 2^60.
const SCALE: f64 = (1_u64 << 60) as f64;

/// The first 60 bits of SHA-1 over the UTF-8 of all parts together, scaled to 0..=1.
///
/// PARITY: `getFeatureFlagHash` (@posthog/core).
pub(crate) fn hash(parts: &[&Text]) -> f64 {
    let mut sha1 = Sha1::new();
    for part in parts {
        sha1.update(part.to_str_lossy().as_bytes());
    }
    let digest = sha1.finalize();
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (bits >> 4) as f64 / SCALE
}

#[cfg(test)]
mod tests {
    use super::hash;
    use crate::text::Text;

    fn of(key: &str, bucketing: &str, salt: &str) -> f64 {
        hash(&[&key.into(), &".".into(), &bucketing.into(), &salt.into()])
    }

    #[test]
    fn hashes_are_those_of_the_reference() {
        assert_eq!(of("flag", "user", ""), 0.435_736_849_816_331_3);
        assert_eq!(of("flag", "user", "variant"), 0.472_702_198_566_722_2);
        assert_eq!(of("beta-feature", "distinct-id", ""), 0.229_988_430_076_024_6);
    }

    #[test]
    fn a_lone_surrogate_is_hashed_as_the_replacement_character() {
        let lone = Text::from_wtf8(vec![0xed, 0xa0, 0x80]);
        assert_eq!(hash(&[&lone]), hash(&[&"\u{fffd}".into()]));
    }
}
