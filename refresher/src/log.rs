//! Logs on stderr, of this program alone, as lines of text or of JSON.
//!
//! What the HTTP libraries log stays out at every level: they know headers and whole URLs, and those
//! hold keys. `RUST_LOG` is not read for the same reason.
//!
//! Spans have the target `flagpost`, which no log shows: they are for tracing alone.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::progress;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// An object a line: timestamp (RFC 3339), level, message, and what belongs to the message.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// 0 logs warnings, 1 what is done, more every request.
    pub verbose: u8,
    pub format: Format,
    /// A program that runs for long tells the time on each line, and what every refresh changed.
    pub daemon: bool,
}

/// Starts logging, once for the process.
pub fn start(options: Options) {
    let (own, daemon) = match options.verbose {
        0 => (LevelFilter::WARN, LevelFilter::INFO),
        1 => (LevelFilter::INFO, LevelFilter::DEBUG),
        _ => (LevelFilter::DEBUG, LevelFilter::DEBUG),
    };
    let targets = Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), own)
        .with_target(concat!(env!("CARGO_CRATE_NAME"), "::watch"), daemon);
    tracing_subscriber::registry().with(lines(options).with_filter(targets)).init();
}

fn lines<S>(options: Options) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer()
        .with_writer(progress::stderr)
        .with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false);
    match (options.format, options.daemon) {
        (Format::Json, _) => {
            let json = lines.with_ansi(false).json().flatten_event(true);
            json.with_current_span(false).with_span_list(false).boxed()
        }
        (Format::Text, true) => lines.boxed(),
        (Format::Text, false) => lines.without_time().boxed(),
    }
}
