//! The evaluator for JavaScript. It translates between JavaScript and the engine and decides nothing.

mod host;
pub mod packed;
mod tables;

use flagpost_engine::snapshot::{Snapshot, is_snapshot};
use flagpost_engine::{
    Answer, CompileOptions, Definitions, Error, FlagId, FlagValue, Reason, Ruleset, compile,
};
use wasm_bindgen::prelude::*;

use crate::host::JsHost;
use crate::tables::Tables;

/// A ruleset that stays in the module's memory until it is freed.
#[wasm_bindgen]
pub struct Evaluator {
    ruleset: Ruleset,
    /// The snapshot's header as it is: JSON text, which JavaScript reads best.
    header: Option<String>,
}

#[wasm_bindgen]
impl Evaluator {
    /// Compiles a snapshot, or definitions as JSON. Without evaluation contexts every flag is kept.
    ///
    /// # Errors
    /// Throws an `Error` whose `flagpost` is `invalid_json`, `invalid_definitions` or `damaged_snapshot`.
    pub fn load(
        bytes: &[u8],
        evaluation_contexts: Option<Vec<String>>,
    ) -> Result<Evaluator, JsValue> {
        let (definitions, header) = if is_snapshot(bytes) {
            let snapshot = Snapshot::open(bytes).map_err(thrown)?;
            (
                snapshot.definitions(),
                Some(String::from_utf8_lossy(snapshot.header_json()).into_owned()),
            )
        } else {
            (bytes, None)
        };
        let definitions = Definitions::parse(definitions, &JsHost).map_err(thrown)?;
        let options =
            CompileOptions { evaluation_contexts: evaluation_contexts.unwrap_or_default() };
        let ruleset = compile(&definitions, &options, &JsHost);
        Ok(Evaluator { ruleset, header })
    }

    /// What answers refer to, as a plain object: `Tables` in `js/src/evaluator-glue.d.ts`.
    ///
    /// # Errors
    /// Never, for tables of texts and numbers.
    pub fn tables(&self) -> Result<JsValue, JsValue> {
        Tables::of(&self.ruleset, self.header.as_deref()).to_js()
    }

    /// Evaluates flags, by index or all of them, for a user packed as [`packed`] says; nothing is
    /// added to it. `now_ms` is in milliseconds since the epoch.
    ///
    /// Two numbers per flag: the value (0 false, 1 true, 2 + n the text n, -1 to -4 the reason in the
    /// order of [`Reason::ALL`], -5 - n the number that the text n spells) and the index of the
    /// payload, or -1.
    ///
    /// # Errors
    /// Throws when the user is not packed for this ruleset.
    pub fn evaluate(
        &self,
        packed: &[u8],
        now_ms: f64,
        flags: Option<Vec<u32>>,
    ) -> Result<Vec<i32>, JsValue> {
        let (slots, groups) = (self.ruleset.slots().len(), self.ruleset.group_types().len());
        let context = packed::decode(packed, slots, groups)
            .map_err(|error| JsValue::from(js_sys::Error::new(&error.to_string())))?;
        let evaluator = flagpost_engine::Evaluator::new(&self.ruleset, &context, &JsHost, now_ms);
        let flags = match flags {
            Some(flags) => flags.into_iter().map(FlagId).collect(),
            None => self.ruleset.flag_ids().collect::<Vec<_>>(),
        };
        Ok(match flags.as_slice() {
            [flag] => encode(evaluator.flag(*flag)).to_vec(),
            flags => evaluator.flags(flags).into_iter().flat_map(encode).collect(),
        })
    }
}

fn encode(answer: Answer) -> [i32; 2] {
    match answer {
        Answer::Value { value, payload } => {
            let value = match value {
                FlagValue::Bool(value) => i32::from(value),
                FlagValue::Variant(text) => index(text.0).saturating_add(2),
                FlagValue::Json(text) => (-5_i32).saturating_sub(index(text.0)),
            };
            [value, payload.map_or(-1, |payload| index(payload.0))]
        }
        Answer::Unresolved(reason) => {
            let rank = match reason {
                Reason::ExperienceContinuity => -1,
                Reason::UnsupportedDefinition => -2,
                Reason::UnresolvedDependency => -3,
                Reason::MissingContext => -4,
            };
            [rank, -1]
        }
    }
}

/// An index as the codes carry it. No ruleset that fits into memory has more entries.
fn index(id: u32) -> i32 {
    i32::try_from(id).unwrap_or(i32::MAX)
}

/// An `Error` to throw, with the code that makes it a `FlagpostError`.
fn thrown(error: Error) -> JsValue {
    let code = if error.is_damaged() {
        "damaged_snapshot"
    } else if error.is_shape() {
        "invalid_definitions"
    } else {
        "invalid_json"
    };
    let thrown = js_sys::Error::new(&error.to_string());
    // Setting a member of a fresh object cannot fail.
    let _ = js_sys::Reflect::set(&thrown, &"flagpost".into(), &code.into());
    thrown.into()
}
