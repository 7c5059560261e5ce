//! Writing snapshots: the rules of [`flagpost_engine::publish`] for `flagpost/refresh`.

use std::cmp::Ordering;

use flagpost_engine::publish::{
    self, Incoming, NO_FLAGS, Policy, Refused, Spelling, Stored, gate, resealed, sealed,
};
use flagpost_engine::snapshot::{DEFS, HEAD, Snapshot};
use flagpost_engine::{CompileOptions, Definitions, Error, compile_to_bytes};
use wasm_bindgen::prelude::*;

use crate::host::JsHost;
use crate::{thrown, thrown_as};

const SPELLING: Spelling = Spelling {
    allow_empty: "policy.allowEmpty",
    max_removed: "policy.maxRemoved",
    force: "policy.force",
};

/// Bits of [`publish`]'s `choices`: see `js/src/refresh/rules.ts`.
const ALLOW_EMPTY: u32 = 1;
const FORCE: u32 = 1 << 1;
const SAME_PROJECT: u32 = 1 << 2;
const CLEARED: u32 = 1 << 3;

/// What a snapshot's header names as the one that wrote it.
#[wasm_bindgen]
pub fn generator() -> String {
    concat!("flagpost/", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Checks a whole snapshot. Gives where its header and its definitions begin and end.
///
/// # Errors
/// Throws an `Error` whose `flagpost` is `damaged_snapshot`.
#[wasm_bindgen]
pub fn inspect(snapshot: &[u8]) -> Result<Vec<u32>, JsValue> {
    let snapshot = Snapshot::open(snapshot).map_err(|error| thrown(&error))?;
    let ranges = [HEAD, DEFS].map(|tag| snapshot.range(tag).unwrap_or_default());
    Ok(ranges.into_iter().flat_map(|range| [range.start as u32, range.end as u32]).collect())
}

/// Definitions as a snapshot with this header, if they may replace the snapshot `held`: empty bytes where
/// nothing is stored, other bytes that are no snapshot for a damaged one.
///
/// # Errors
/// Throws an `Error` whose `flagpost` is `invalid_json`, `invalid_definitions`, `empty_refused`,
/// `mass_deletion` or `older`.
#[wasm_bindgen]
pub fn publish(
    definitions: &[u8],
    header: &str,
    held: &[u8],
    choices: u32,
    max_removed: u8,
) -> Result<Vec<u8>, JsValue> {
    let parsed = Definitions::parse(definitions, &JsHost).map_err(|error| thrown(&error))?;
    let opened = Snapshot::open(held);
    let stored = match &opened {
        Ok(snapshot) => Stored::Good {
            definitions: snapshot.definitions(),
            same_project: choices & SAME_PROJECT != 0,
        },
        Err(_) if held.is_empty() => Stored::Nothing,
        Err(_) => Stored::Damaged,
    };
    let policy = Policy {
        allow_empty: choices & ALLOW_EMPTY != 0,
        max_removed,
        force: choices & FORCE != 0,
    };
    let keys = parsed.keys(&JsHost);
    let incoming = Incoming { definitions, keys: &keys, cleared: choices & CLEARED != 0 };
    gate(policy, SPELLING, stored, incoming, &JsHost).map_err(|refusal| {
        let code = match refusal.reason {
            Refused::Empty => "empty_refused",
            Refused::MassDeletion => "mass_deletion",
            Refused::Older => "older",
        };
        thrown_as(code, &refusal.text)
    })?;
    seal(&parsed, header, definitions).map_err(|error| thrown(&error))
}

/// What takes the place of definitions that a policy clears.
#[wasm_bindgen]
pub fn no_flags() -> Vec<u8> {
    NO_FLAGS.to_vec()
}

fn seal(parsed: &Definitions, header: &str, definitions: &[u8]) -> Result<Vec<u8>, Error> {
    let code = compile_to_bytes(parsed, &CompileOptions::default(), &JsHost)?;
    sealed(header.as_bytes(), Some(&code), definitions)
}

/// A snapshot with another header; `written_by` is the generator that its own names.
///
/// # Errors
/// Throws an `Error` whose `flagpost` is `damaged_snapshot`.
#[wasm_bindgen]
pub fn renew(snapshot: &[u8], header: &str, written_by: &str) -> Result<Vec<u8>, JsValue> {
    Snapshot::open(snapshot)
        .and_then(|snapshot| resealed(&snapshot, header.as_bytes(), written_by, &JsHost))
        .map_err(|error| thrown(&error))
}

/// Whether definitions `a` are newer than `b` (1), older (-1), neither by their flags' versions (0), or
/// the versions do not tell (2).
#[wasm_bindgen]
pub fn order(a: &[u8], b: &[u8]) -> i32 {
    match publish::order(a, b, &JsHost) {
        Some(Ordering::Less) => -1,
        Some(Ordering::Equal) => 0,
        Some(Ordering::Greater) => 1,
        None => 2,
    }
}
