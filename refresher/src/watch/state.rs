//! What the daemon knows of itself: the loop writes it, the endpoint and systemd's watchdog read it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::metrics::Metrics;
use super::tick::{Held, Holds, Tick};

/// Shared by the loop and whoever asks how it goes.
#[derive(Debug)]
pub(super) struct State {
    max_age: Option<Duration>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    /// The loop is alive if it is heard of before this.
    expected: Instant,
    ending: bool,
    /// Whether a refresh ended yet.
    refreshed: bool,
    /// In the order of the last refresh that named them.
    stores: Vec<Store>,
    metrics: Metrics,
}

/// A store as last seen.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) name: String,
    pub(super) held: Option<Held>,
    /// When PostHog was last asked and confirmed what the store holds.
    pub(super) confirmed: Option<Timestamp>,
}

impl Store {
    /// How long ago PostHog confirmed what is stored. Its own `checked_at` is only renewed by each
    /// heartbeat, or by another refresher, so this process's last success counts as well.
    pub(super) fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let held = self.held.as_ref()?;
        let confirmed = held.checked_at.max(self.confirmed)?;
        Some(now.duration_since(confirmed).max(SignedDuration::ZERO))
    }
}

impl State {
    pub(super) fn new(max_age: Option<Duration>, expected: Instant) -> Self {
        let known = Known {
            expected,
            ending: false,
            refreshed: false,
            stores: Vec::new(),
            metrics: Metrics::new(),
        };
        State { max_age, known: Mutex::new(known) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop makes progress, and will be heard of again before a time.
    pub(super) fn progress(&self, expected: Instant) {
        self.known().expected = expected;
    }

    /// A refresh that asked PostHog at a time ended.
    pub(super) fn refreshed(&self, tick: &Tick, asked: Timestamp, now: Timestamp, took: Duration) {
        let mut known = self.known();
        known.refreshed = true;
        for seen in &tick.stores {
            let before = known.stores.iter().find(|store| store.name == seen.name).cloned();
            let (held, confirmed) = match (&seen.holds, before) {
                (Holds::Snapshot(held), before) => {
                    let same = |before: &Store| {
                        before.held.as_ref().is_some_and(|before| before.digest == held.digest)
                    };
                    let confirmed = match seen.current {
                        true => Some(asked),
                        false => before.filter(same).and_then(|before| before.confirmed),
                    };
                    (Some(held.clone()), confirmed)
                }
                // Not being able to look changes nothing for readers.
                (Holds::Unknown, Some(before)) => (before.held, before.confirmed),
                (Holds::Unknown, None) | (Holds::Nothing, _) => (None, None),
            };
            let store = Store { name: seen.name.clone(), held, confirmed };
            match known.stores.iter_mut().find(|known| known.name == seen.name) {
                Some(known) => *known = store,
                None => known.stores.push(store),
            }
        }
        known.metrics.refreshed(tick, now, took);
    }

    /// The process was told to end.
    pub(super) fn ending(&self) {
        self.known().ending = true;
    }

    /// Whether the loop runs.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(super) fn alive(&self) -> Result<(), String> {
        let late = Instant::now().saturating_duration_since(self.known().expected);
        if late.is_zero() {
            Ok(())
        } else {
            Err(format!("the loop should have been heard of {} s ago", late.as_secs()))
        }
    }

    /// Whether every store holds a good snapshot, which is not too old.
    ///
    /// # Errors
    /// What is wrong, a line for each thing, for people.
    pub(super) fn ready(&self, now: Timestamp) -> Result<(), String> {
        self.serving(self.max_age, now)
    }

    /// Whether every store holds a good snapshot, of any age.
    pub(super) fn holds_all(&self, now: Timestamp) -> bool {
        self.serving(None, now).is_ok()
    }

    fn serving(&self, max_age: Option<Duration>, now: Timestamp) -> Result<(), String> {
        let known = self.known();
        if known.ending {
            return Err("ending".to_owned());
        }
        if !known.refreshed {
            return Err("the first refresh has not ended yet".to_owned());
        }
        if known.stores.is_empty() {
            return Err("no store was looked at yet".to_owned());
        }
        let wrong = known.stores.iter().filter_map(|store| {
            let name = &store.name;
            if store.held.is_none() {
                return Some(format!("{name} holds no good snapshot, as far as is known"));
            }
            let limit = max_age?;
            match store.age(now).map(SignedDuration::unsigned_abs) {
                Some(age) if age <= limit => None,
                Some(age) => Some(format!(
                    "{name} holds a snapshot that posthog confirmed {} s ago, more than {} s",
                    age.as_secs(),
                    limit.as_secs()
                )),
                None => Some(format!("{name} holds a snapshot of unknown age")),
            }
        });
        let wrong: Vec<String> = wrong.collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// Everything counted, as OpenMetrics text.
    pub(super) fn metrics(&self, now: Timestamp) -> Result<String, String> {
        let ready = self.ready(now).is_ok();
        let known = self.known();
        known.metrics.text(&known.stores, ready, now)
    }
}
