//! Trying again: bounded, with jitter, and as late as the server asks.

use std::fmt::Display;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tracing::warn;

/// How patient a run is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Attempts after the first.
    pub retries: u16,
    /// Pause before the first retry; it doubles from one to the next.
    pub delay: Duration,
    /// Longest pause; a server that asks for more is not asked again.
    pub max_delay: Duration,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    No,
    Soon,
    /// Not before this time has passed: the server's `Retry-After`.
    After(Duration),
}

/// A failure that knows whether trying again can help.
pub trait Transient {
    fn again(&self) -> Again;
}

/// Runs an operation until it succeeds, fails for good, or patience ends. Also says how many
/// attempts were made. `what` names the operation in logs.
pub async fn run<T, E, F>(
    patience: Patience,
    what: &str,
    mut operation: impl FnMut() -> F,
) -> (Result<T, E>, u32)
where
    E: Transient + Display,
    F: Future<Output = Result<T, E>>,
{
    let attempts = AtomicU32::new(0);
    let backoff = ExponentialBuilder::default()
        .with_min_delay(patience.delay)
        .with_max_delay(patience.max_delay)
        .with_max_times(usize::from(patience.retries))
        .with_jitter();
    let result = (|| {
        attempts.fetch_add(1, Relaxed);
        operation()
    })
    .retry(backoff)
    .when(|error: &E| match error.again() {
        Again::No => false,
        Again::Soon => true,
        Again::After(time) => time <= patience.max_delay,
    })
    .adjust(|error, pause| match error.again() {
        Again::After(time) => pause.map(|_| time),
        _ => pause,
    })
    .notify(|error, pause| {
        let (attempt, of) = (attempts.load(Relaxed), patience.retries + 1);
        warn!("{what}: attempt {attempt} of {of} failed ({error}), trying again in {pause:.1?}");
    })
    .await;
    (result, attempts.load(Relaxed))
}
