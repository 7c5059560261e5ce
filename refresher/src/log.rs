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
#[cfg(feature = "otel")]
use tracing::warn;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{Environment, first_set};
use crate::progress;
#[cfg(feature = "otel")]
use crate::telemetry;

const VARIABLE: &str = "FLAGPOST_LOG_FORMAT";

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

impl Format {
    /// The one that is asked for by argument or, failing that, by `FLAGPOST_LOG_FORMAT`.
    ///
    /// # Errors
    /// The variable names no format.
    pub fn chosen(argument: Option<Format>, environment: Environment<'_>) -> Result<Self, String> {
        match (argument, first_set(environment, &[VARIABLE])) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(Format::default()),
            (None, Some(name)) => Format::from_str(&name, true)
                .map_err(|_| format!("{VARIABLE} names no format of logs: set it to text or json")),
        }
    }
}

/// What has to be done when the program ends: dropping it does it, within a few seconds.
#[must_use]
#[derive(Debug)]
pub struct Logging {
    #[cfg(feature = "otel")]
    _telemetry: Option<telemetry::Telemetry>,
}

/// Starts logging, once for the process; with the feature `otel` tracing as well, if the environment
/// names a collector.
pub fn start(options: Options) -> Logging {
    let (own, daemon) = match options.verbose {
        0 => (LevelFilter::WARN, LevelFilter::INFO),
        1 => (LevelFilter::INFO, LevelFilter::DEBUG),
        _ => (LevelFilter::DEBUG, LevelFilter::DEBUG),
    };
    let targets = Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), own)
        .with_target(concat!(env!("CARGO_CRATE_NAME"), "::watch"), daemon);
    let registry = tracing_subscriber::registry();
    #[cfg(feature = "otel")]
    {
        // A collector that cannot be had is no reason not to refresh.
        let (layer, telemetry, problem) = match telemetry::start() {
            Ok(Some((layer, telemetry))) => (Some(layer), Some(telemetry), None),
            Ok(None) => (None, None, None),
            Err(problem) => (None, None, Some(problem)),
        };
        registry.with(layer).with(lines(options).with_filter(targets)).init();
        if let Some(problem) = problem {
            warn!("no spans are sent: {problem}");
        }
        Logging { _telemetry: telemetry }
    }
    #[cfg(not(feature = "otel"))]
    {
        registry.with(lines(options).with_filter(targets)).init();
        Logging {}
    }
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
