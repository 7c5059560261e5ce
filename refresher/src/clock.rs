//! The time, so that tests can say what it is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

/// Where times come from.
pub trait Clock: Send + Sync {
    /// Now, to the millisecond.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.round(Unit::Millisecond).unwrap_or(now)
    }
}

/// Whether so much time lies between a moment, as RFC 3339, and now; of a text that is none it does.
/// In either direction: a clock that was ahead once must not stop what is due until its time has come.
#[must_use]
pub fn has_passed(time: Duration, since: &str, now: Timestamp) -> bool {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    since.parse::<Timestamp>().map_or(true, |since| now.duration_since(since).abs() >= time)
}

/// RFC 3339 in UTC with milliseconds, as JavaScript's `toISOString`.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}
