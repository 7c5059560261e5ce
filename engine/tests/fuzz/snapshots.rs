//! Mutated snapshots, as they are and with a checksum that fits again.

use flagpost_engine::snapshot::{Snapshot, seal};
use proptest::prelude::*;
use xxhash_rust::xxh64::xxh64;

use crate::definitions::{compile_and_ask, users};
use crate::mutate::{Recipe, mutated, recipes};
use crate::run::{corpus, fuzz};

const LENGTHS: [u32; 8] = [0, 1, 12, 64, 65, 0x7fff_ffff, 0xffff_fff0, u32::MAX];

/// What is done to the frame: the place of a number in the section table, and which number it becomes.
type Frame = Vec<(u8, u8, u32)>;

fn changed(seeds: &[Vec<u8>], (recipe, frame): &(Recipe, Frame)) -> Vec<u8> {
    let mut bytes = mutated(seeds, recipe);
    for (place, choice, number) in frame {
        let at = 8 + 4 * usize::from(place % 14);
        if let Some(slot) = bytes.get_mut(at..at + 4) {
            let old = u32::from_le_bytes([slot[0], slot[1], slot[2], slot[3]]);
            let new = match choice % 4 {
                0 => LENGTHS[*number as usize % LENGTHS.len()],
                1 => old.wrapping_add(number % 32),
                2 => old.wrapping_sub(number % 32),
                _ => *number,
            };
            slot.copy_from_slice(&new.to_le_bytes());
        }
    }
    bytes
}

fn resealed(bytes: &[u8]) -> Vec<u8> {
    let sealed = &bytes[..bytes.len().saturating_sub(8)];
    [sealed, &xxh64(sealed, 0).to_le_bytes()].concat()
}

fn both() -> impl Strategy<Value = (Recipe, Frame)> {
    (recipes(), prop::collection::vec((any::<u8>(), any::<u8>(), any::<u32>()), 0..4))
}

#[test]
fn changed_snapshots_are_refused() {
    let seeds = corpus("snapshots");
    fuzz(
        "snapshot",
        both(),
        |recipe| changed(&seeds, recipe),
        |bytes| match Snapshot::open(bytes) {
            Ok(_) if seeds.iter().any(|seed| seed == bytes) => Ok(()),
            Ok(_) => Err("a changed snapshot was opened".to_owned()),
            Err(error) if error.is_damaged() => Ok(()),
            Err(error) => Err(format!("the wrong error: {error}")),
        },
    );
}

#[test]
fn changed_snapshots_with_a_fitting_checksum_are_read_or_refused() {
    let (seeds, users) = (corpus("snapshots"), users());
    let build = |recipe: &_| resealed(&changed(&seeds, recipe));
    fuzz("resealed-snapshot", both(), build, |bytes| {
        let Ok(snapshot) = Snapshot::open(bytes) else { return Ok(()) };
        let _ = snapshot.header();
        compile_and_ask(snapshot.definitions(), &users)?;
        let sections: Vec<_> = snapshot.sections().collect();
        let start = 8 + 4 + 16 * sections.len();
        let total: usize = sections.iter().map(|(_, length)| length).sum();
        if start + total + 8 != bytes.len() {
            return Err("the sections are not all there is".to_owned());
        }
        let mut rest = &bytes[start..];
        let mut bodies = Vec::new();
        for (tag, length) in sections {
            let (body, more) = rest.split_at(length);
            rest = more;
            bodies.push((tag, body));
        }
        let again = seal(&bodies).map_err(|error| error.to_string())?;
        let again = Snapshot::open(&again).map_err(|error| error.to_string())?;
        let same = again.definitions() == snapshot.definitions()
            && again.header_json() == snapshot.header_json()
            && again.sections().eq(snapshot.sections());
        if same { Ok(()) } else { Err("sealed again it is another snapshot".to_owned()) }
    });
}
