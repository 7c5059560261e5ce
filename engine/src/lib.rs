//! Flagpost's evaluator: PostHog flag definitions, a user and a time in; answers out.
//!
//! The crate is pure. It reads no clock, no environment, no file and no network, starts no thread,
//! and does not panic: every time is an argument, and what belongs to the JavaScript host (date
//! strings, letter case, number text) is asked through [`ecma::Host`].
//!
//! The way through it: [`Definitions::parse`] -> [`compile`] -> [`Ruleset`], then
//! [`Context`] (a user laid out for that ruleset) -> [`Evaluator`] -> [`Answer`].
//! [`snapshot`] is the stored form of definitions, which holds a compiled ruleset besides:
//! [`Ruleset::open`]. [`publish`] says what may replace a stored one.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests"))]

mod answer;
mod bucket;
#[cfg(feature = "compile")]
mod compile;
mod context;
#[cfg(feature = "compile")]
mod definitions;
pub mod ecma;
mod error;
mod evaluate;
mod json;
mod members;
mod operator;
#[cfg(feature = "compile")]
mod problems;
#[cfg(feature = "compile")]
pub mod publish;
mod ruleset;
pub mod snapshot;
mod text;
mod user;
mod value;

pub use answer::{Answer, Code, FlagValue, Reason};
#[cfg(feature = "compile")]
pub use compile::{CompileOptions, compile, compile_to_bytes, seal_ruleset};
pub use context::{Context, Odd, Property, Span};
#[cfg(feature = "compile")]
pub use definitions::Definitions;
pub use error::Error;
pub use evaluate::Evaluator;
pub use members::{Member, Members};
pub use ruleset::{FlagId, Payload, PayloadId, Ruleset, StringId};
pub use text::Text;
pub use user::{OddIds, User};
pub use value::Value;
