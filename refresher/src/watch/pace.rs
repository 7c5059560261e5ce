//! When to refresh next.

use std::time::Duration;

use tokio::time::Instant;

/// However rarely it asks in need, it asks this often, unless the interval is longer.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// A server that wants to be left alone for longer than this is asked again nevertheless: a proxy
/// that sends nonsense must not silence a daemon for a year.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// How often to refresh.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub interval: Duration,
    /// Share of the interval by which a pause may be longer or shorter, 0 to 0.5.
    pub jitter: f64,
}

/// A refresh that ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    pub began: Instant,
    pub ended: Instant,
    /// How many refreshes in a row, this one included, brought no store up to date.
    pub in_vain: u32,
    pub retry_after: Option<Duration>,
}

impl Pace {
    /// When to begin the next refresh; `chance` is a random number from 0 to 1.
    ///
    /// After a success it is counted from the beginning, so that the interval is what was asked for;
    /// turns missed by a slow refresh are left out. After a failure it is counted from the end: who
    /// is in need is not asked without a pause. Two failures change nothing, as an outage may be
    /// short; from the third on the pause doubles.
    #[must_use]
    pub fn next(&self, last: &Ended, chance: f64) -> Instant {
        let pause = self.pause(last.in_vain);
        let planned = match last.in_vain {
            0 => {
                let took = last.ended.duration_since(last.began);
                let turns = (took.as_secs_f64() / pause.as_secs_f64()).floor() + 1.0;
                last.began + pause.mul_f64(turns - 1.0)
            }
            _ => last.ended,
        };
        let turn = (planned + self.spread(pause, 2.0 * chance - 1.0)).max(last.ended);
        match last.retry_after {
            Some(after) => {
                let after = after.min(LONGEST_RETRY_AFTER.max(self.interval));
                // Never sooner than asked for.
                turn.max(last.ended + self.spread(after, chance))
            }
            None => turn,
        }
    }

    fn pause(&self, in_vain: u32) -> Duration {
        let longest = LONGEST.min(self.interval.saturating_mul(10)).max(self.interval);
        let factor = 1u32.checked_shl(in_vain.saturating_sub(2)).unwrap_or(u32::MAX);
        self.interval.saturating_mul(factor).min(longest)
    }

    /// `by` is from -1 to 1.
    fn spread(&self, time: Duration, by: f64) -> Duration {
        time.mul_f64(1.0 + self.jitter * by)
    }
}
