//! Compiled rulesets with words and bytes changed and a hash that fits again.

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{
    CompileOptions, Context, Definitions, Evaluator, Ruleset, User, seal_ruleset,
};
use proptest::prelude::*;
use xxhash_rust::xxh64::xxh64;

use crate::definitions::users;
use crate::run::{corpus, fuzz};

/// Numbers that tables get wrong.
const NUMBERS: [u32; 10] =
    [0, 1, 2, 3, 27, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, u32::MAX - 1, u32::MAX];

/// Which seed, and what is done to words of it: where, how, and a number.
type Recipe = (usize, Vec<(u32, u8, u32)>);

fn seeds() -> Vec<Vec<u8>> {
    let host = NativeHost::new();
    let compiled = corpus("definitions").into_iter().map(|bytes| {
        let definitions = Definitions::parse(&bytes, &host).expect("definitions of the corpus");
        seal_ruleset(&definitions, &CompileOptions::default(), &host).expect("compiled")
    });
    compiled.collect()
}

fn changed(seeds: &[Vec<u8>], (seed, changes): &Recipe) -> Vec<u8> {
    let mut bytes = seeds[seed % seeds.len()].clone();
    bytes.truncate(bytes.len() - 8);
    for (place, how, number) in changes {
        let words = bytes.len() / 4;
        // Half of the changes go to the header and the first records.
        let word = *place as usize / 2 % if place % 2 == 0 { words } else { words.min(120) };
        let slot = &mut bytes[4 * word..4 * word + 4];
        let old = u32::from_le_bytes([slot[0], slot[1], slot[2], slot[3]]);
        let new = match how % 5 {
            0 => NUMBERS[*number as usize % NUMBERS.len()],
            1 => old.wrapping_add(number % 8),
            2 => old.wrapping_sub(number % 8),
            3 => old ^ (1 << (number % 32)),
            _ => *number,
        };
        slot.copy_from_slice(&new.to_le_bytes());
    }
    let hash = xxh64(&bytes, 0).to_le_bytes();
    bytes.extend_from_slice(&hash);
    bytes
}

/// Asks for everybody, together and alone; what a changed ruleset answers is nobody's business.
fn ask(ruleset: &Ruleset, users: &[User]) {
    let host = NativeHost::new();
    let ids: Vec<_> = ruleset.flag_ids().collect();
    for user in users {
        let mut evaluator = Evaluator::new(Context::new(ruleset, user, &host));
        let together = evaluator.flags(ruleset, &ids, &host, 1.7e12).len();
        assert_eq!(together, ids.len());
        for id in &ids {
            let _ = evaluator.flag(ruleset, *id, &host, 1.7e12);
        }
    }
    let _ = (ruleset.flag_keys(), ruleset.problems(), ruleset.slots(), ruleset.group_types());
}

#[test]
fn changed_rulesets_are_refused_or_answer() {
    let (seeds, users) = (seeds(), users());
    let opened = std::cell::Cell::new(0_u32);
    let recipes =
        (0..1000_usize, prop::collection::vec((any::<u32>(), any::<u8>(), any::<u32>()), 0..4));
    fuzz(
        "ruleset",
        recipes,
        |recipe| changed(&seeds, recipe),
        |bytes| {
            for contexts in [&[][..], &["web".to_owned()]] {
                match Ruleset::open(bytes.to_vec(), 0, contexts) {
                    Ok(ruleset) => {
                        opened.set(opened.get() + 1);
                        ask(&ruleset, &users);
                    }
                    Err(error) if error.is_damaged() || error.is_unknown_ruleset() => {}
                    Err(error) => return Err(format!("the wrong error: {error}")),
                }
            }
            Ok(())
        },
    );
    assert!(opened.get() > 100, "only {} were opened", opened.get());
}
