//! The compiler module: definitions in, a ruleset out.

use flagpost_engine::snapshot::{Snapshot, is_snapshot};
use flagpost_engine::{CompileOptions, Definitions, Error, seal_ruleset};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::host::JsHost;
use crate::thrown;

/// `LoadOptions` of the package.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    evaluation_contexts: Option<Vec<String>>,
}

/// Compiles a snapshot's definitions, or definitions as JSON, to a ruleset that the evaluator module loads;
/// `options` as for the package's `load`. Without evaluation contexts every flag is kept.
///
/// # Errors
/// Throws an `Error` whose `flagpost` is `invalid_json`, `invalid_definitions` or `damaged_snapshot`.
#[wasm_bindgen]
pub fn compile(bytes: &[u8], options: JsValue) -> Result<Vec<u8>, JsValue> {
    let options: Option<Options> = serde_wasm_bindgen::from_value(options)?;
    let evaluation_contexts = options.unwrap_or_default().evaluation_contexts.unwrap_or_default();
    compiled(bytes, &CompileOptions { evaluation_contexts }).map_err(|error| thrown(&error))
}

fn compiled(bytes: &[u8], options: &CompileOptions) -> Result<Vec<u8>, Error> {
    let snapshot = if is_snapshot(bytes) { Some(Snapshot::open(bytes)?) } else { None };
    let definitions = snapshot.as_ref().map_or(bytes, Snapshot::definitions);
    let definitions = Definitions::parse(definitions, &JsHost)?;
    seal_ruleset(&definitions, options, &JsHost)
}
