//! The refresher: asks PostHog for flag definitions and keeps a verified snapshot of them in a store.
//!
//! The way through it: [`cli`] (arguments) -> [`config`] (checked) -> [`refresh::run`] ([`upstream`]
//! is asked, [`store`] written and read back) -> [`outcome`] (a line for people or machines and an
//! exit code). [`commands`] look at stores and steer them. [`compile`] and [`eval`] need no network.

pub mod cli;
pub mod clock;
pub mod commands;
pub mod compile;
pub mod config;
pub mod daemon;
pub mod diff;
pub mod eval;
pub mod filter;
pub mod history;
pub mod http;
pub mod lease;
pub mod log;
pub mod node_cache;
pub mod order;
pub mod outcome;
pub mod progress;
mod raw;
pub mod refresh;
pub mod report;
pub mod retry;
pub mod secret;
pub mod snapshot;
pub mod store;
#[cfg(feature = "otel")]
mod telemetry;
pub mod upstream;
pub mod watch;
