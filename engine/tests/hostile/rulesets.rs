//! Compiled rulesets whose hash fits and whose marks do not.

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{CompileOptions, Definitions, Ruleset, seal_ruleset};
use serde_json::{Value as Json, json};
use xxhash_rust::xxh64::xxh64;

use super::{depends_on, flag};

/// Where the header tells where the flags lie, and their records' bits, in words; and how long they are.
const FLAGS: usize = 5;
const BITS: usize = 2;
const FLAG: usize = 11;
/// Some dependency's chain names the flag.
const CHAINED: u32 = 1 << 8;

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().unwrap())
}

/// The ruleset of definitions, with other bits in the record of each flag, sealed again.
fn with_bits(definitions: &Json, change: impl Fn(u32) -> u32) -> Vec<u8> {
    let host = NativeHost::new();
    let definitions = Definitions::parse(definitions.to_string().as_bytes(), &host).unwrap();
    let mut bytes = seal_ruleset(&definitions, &CompileOptions::default(), &host).unwrap();
    bytes.truncate(bytes.len() - 8);
    let (flags, count) = (word(&bytes, FLAGS) as usize / 4, word(&bytes, FLAGS + 1) as usize);
    for flag in 0..count {
        let at = flags + flag * FLAG + BITS;
        let changed = change(word(&bytes, at));
        bytes[4 * at..4 * at + 4].copy_from_slice(&changed.to_le_bytes());
    }
    let hash = xxh64(&bytes, 0);
    bytes.extend(hash.to_le_bytes());
    bytes
}

#[test]
fn a_dependency_on_a_flag_that_is_not_marked_as_one_is_refused() {
    let ring = json!({ "flags": [flag("a", json!([depends_on("b")])), flag("b", json!([depends_on("a")]))] });
    let doubling: Vec<_> = (0..40)
        .map(|n| match n {
            0 => flag("f0", json!([{ "key": "n", "value": 1.5, "operator": "gt" }])),
            n => {
                let below = depends_on(&format!("f{}", n - 1));
                flag(&format!("f{n}"), json!([below, below]))
            }
        })
        .collect();
    for definitions in [ring, json!({ "flags": doubling })] {
        assert!(Ruleset::open(with_bits(&definitions, |bits| bits), 0, &[]).is_ok());
        let unmarked = Ruleset::open(with_bits(&definitions, |bits| bits & !CHAINED), 0, &[]);
        assert!(unmarked.is_err_and(|error| error.is_damaged()));
    }
}
