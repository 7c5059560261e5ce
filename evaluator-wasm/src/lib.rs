//! The engine for JavaScript, as two modules: the evaluator (feature `evaluate`) and the compiler (feature
//! `compile`). They translate between JavaScript and the engine and decide nothing.

#[cfg(feature = "compile")]
pub mod compiler;
#[cfg(feature = "evaluate")]
mod evaluator;
#[cfg(any(test, all(target_arch = "wasm32", not(feature = "compile"))))]
mod heap;
mod host;
#[cfg(feature = "evaluate")]
pub mod packed;
#[cfg(feature = "compile")]
pub mod publish;

#[cfg(feature = "compile")]
use flagpost_engine::Error;
#[cfg(feature = "compile")]
use wasm_bindgen::prelude::*;

#[cfg(all(target_arch = "wasm32", feature = "compile"))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(all(target_arch = "wasm32", not(feature = "compile")))]
#[global_allocator]
static ALLOCATOR: heap::Heap = heap::Heap::new();

/// In the place of a text with half a surrogate pair, which no flag's context has.
const NO_TEXT: &str = "\u{fffd}";

/// Texts that lie one behind the other; what is cut short is no text.
pub(crate) fn texts(mut bytes: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((text, rest)) = rest.split_at_checked(length) else { break };
        texts.push(String::from_utf8(text.to_vec()).unwrap_or_else(|_| NO_TEXT.to_owned()));
        bytes = rest;
    }
    texts
}

#[cfg(feature = "compile")]
/// An `Error` to throw, with the code that makes it a `FlagpostError`.
fn thrown(error: &Error) -> JsValue {
    let code = if error.is_damaged() {
        "damaged_snapshot"
    } else if error.is_unknown_ruleset() {
        "unknown_ruleset"
    } else if error.is_shape() {
        "invalid_definitions"
    } else {
        "invalid_json"
    };
    thrown_as(code, error.message())
}

#[cfg(feature = "compile")]
fn thrown_as(code: &str, message: &str) -> JsValue {
    let thrown = js_sys::Error::new(message);
    // Setting a member of a fresh object cannot fail.
    let _ = js_sys::Reflect::set(&thrown, &"flagpost".into(), &code.into());
    thrown.into()
}
