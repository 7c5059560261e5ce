//! The compiler module: definitions in, a ruleset out.

use flagpost_engine::snapshot::{Snapshot, is_snapshot};
use flagpost_engine::{CompileOptions, Definitions, Error, seal_ruleset};
use wasm_bindgen::prelude::*;

use crate::host::JsHost;
use crate::{texts, thrown};

/// Compiles a snapshot's definitions, or definitions as JSON, to a ruleset that the evaluator module loads.
/// Each evaluation context is its length in bytes as `u32`, then UTF-8; without any every flag is kept.
///
/// # Errors
/// Throws an `Error` whose `flagpost` is `invalid_json`, `invalid_definitions` or `damaged_snapshot`.
#[wasm_bindgen]
pub fn compile(bytes: &[u8], evaluation_contexts: &[u8]) -> Result<Vec<u8>, JsValue> {
    let evaluation_contexts = texts(evaluation_contexts);
    compiled(bytes, &CompileOptions { evaluation_contexts }).map_err(|error| thrown(&error))
}

fn compiled(bytes: &[u8], options: &CompileOptions) -> Result<Vec<u8>, Error> {
    let snapshot = if is_snapshot(bytes) { Some(Snapshot::open(bytes)?) } else { None };
    let definitions = snapshot.as_ref().map_or(bytes, Snapshot::definitions);
    let definitions = Definitions::parse(definitions, &JsHost)?;
    seal_ruleset(&definitions, options, &JsHost)
}
