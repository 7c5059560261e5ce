//! JSON exactly as JavaScript's `JSON.parse` reads it and `JSON.stringify` writes it.
//!
//! Lone surrogates and numbers beyond a double's range are JSON to JavaScript, so they are here.

#[cfg(feature = "compile")]
mod read;
mod write;

#[cfg(feature = "compile")]
pub(crate) use read::{Fault, MAX_MEMORY, Reader, parse, scalar};
pub(crate) use write::write_string;
#[cfg(feature = "compile")]
pub(crate) use write::{quoted, to_json, with_escaped_surrogates};
