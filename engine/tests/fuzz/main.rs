//! Fuzzing: mutated seeds of `tests/corpus` through parsing, compiling, evaluating and opening.
//!
//! A bounded run belongs to the tests. `PROPTEST_CASES=200000 cargo test --release --test fuzz` runs as many
//! cases of each target as are wanted, with `PROPTEST_RNG_SEED` from another beginning. An input that fails is
//! made as small as it can be and written to the file that the message names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod definitions;
mod mutate;
mod rewrite;
mod rulesets;
mod run;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;
mod users;
