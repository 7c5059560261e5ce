//! What `/metrics` tells: OpenMetrics text, by Prometheus' own client library.
//!
//! Times are Unix seconds, durations seconds, sizes bytes. Labels hold store addresses, statuses,
//! reasons and digests; never a secret.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::state::Store;
use super::tick::Tick;
use crate::outcome::{Exit, Reason};

/// Seconds; a refresh that finds nothing new takes one round trip, and four patient attempts minutes.
const BUCKETS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

type Labels = Vec<(&'static str, String)>;
type Number = Gauge<f64, AtomicU64>;

#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    refreshes: Family<Labels, Counter>,
    duration: Histogram,
    requests: Counter,
    failures: Gauge,
    last: Number,
    succeeded: Number,
    store_refreshes: Family<Labels, Counter>,
    store_writes: Family<Labels, Counter>,
    ready: Gauge,
    version: Family<Labels, Gauge>,
    age: Family<Labels, Number>,
    fetched: Family<Labels, Number>,
    checked: Family<Labels, Number>,
    flags: Family<Labels, Gauge>,
    bytes: Family<Labels, Gauge>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("flagpost");
        let build = Family::<Labels, Gauge>::default();
        build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
        registry.register("build_info", "The version of the refresher; always 1", build);
        let r = &mut registry;
        Metrics {
            refreshes: put(
                r,
                "refreshes",
                "Refreshes that ended, by their status, and by the reason when there is one",
                None,
                Family::default(),
            ),
            duration: put(
                r,
                "refresh_duration",
                "Time from the beginning of a refresh to its end, with retries",
                Some(Unit::Seconds),
                Histogram::new(BUCKETS),
            ),
            requests: put(
                r,
                "upstream_requests",
                "Requests for definitions made to PostHog, with retries",
                None,
                Counter::default(),
            ),
            failures: put(
                r,
                "consecutive_failures",
                "Refreshes that failed, for any store, since the last that did not",
                None,
                Gauge::default(),
            ),
            last: put(
                r,
                "last_refresh_timestamp",
                "When the last refresh ended; 0 if none did",
                Some(Unit::Seconds),
                Number::default(),
            ),
            succeeded: put(
                r,
                "last_success_timestamp",
                "When the last refresh ended that did not fail; 0 if none did",
                Some(Unit::Seconds),
                Number::default(),
            ),
            store_refreshes: put(
                r,
                "store_refreshes",
                "Refreshes by store, and by whether the store is current after them",
                None,
                Family::default(),
            ),
            store_writes: put(
                r,
                "store_writes",
                "Refreshes that changed the snapshot in a store",
                None,
                Family::default(),
            ),
            ready: put(
                r,
                "ready",
                "1 if every store holds a good snapshot that is not too old, as /readyz tells",
                None,
                Gauge::default(),
            ),
            version: put(
                r,
                "snapshot_info",
                "The digest of the definitions that a store holds; always 1",
                None,
                Family::default(),
            ),
            age: put(
                r,
                "snapshot_age",
                "Time since PostHog last confirmed what a store holds",
                Some(Unit::Seconds),
                Family::default(),
            ),
            fetched: put(
                r,
                "snapshot_fetched_timestamp",
                "When the definitions that a store holds came from PostHog",
                Some(Unit::Seconds),
                Family::default(),
            ),
            checked: put(
                r,
                "snapshot_checked_timestamp",
                "When PostHog confirmed them, as the snapshot itself tells its readers",
                Some(Unit::Seconds),
                Family::default(),
            ),
            flags: put(
                r,
                "snapshot_flags",
                "Flags in the snapshot of a store",
                None,
                Family::default(),
            ),
            bytes: put(
                r,
                "snapshot_size",
                "Size of the snapshot of a store",
                Some(Unit::Bytes),
                Family::default(),
            ),
            registry,
        }
    }

    pub(super) fn refreshed(&self, tick: &Tick, now: Timestamp, took: Duration) {
        let reason = tick.reason.map(Reason::name).unwrap_or_default();
        let labels = vec![("status", tick.status.as_str().to_owned()), ("reason", reason)];
        self.refreshes.get_or_create(&labels).inc();
        self.duration.observe(took.as_secs_f64());
        self.requests.inc_by(tick.attempts.into());
        self.last.set(seconds(now));
        match tick.exit {
            Exit::Ok => {
                self.succeeded.set(seconds(now));
                self.failures.set(0);
            }
            _ => {
                self.failures.inc();
            }
        }
        for store in &tick.stores {
            let result = if store.current { "current" } else { "failed" };
            let labels = vec![("store", store.name.clone()), ("result", result.to_owned())];
            self.store_refreshes.get_or_create(&labels).inc();
            // Created at the first refresh, so that a rate can be told from the first write on.
            let writes = self.store_writes.get_or_create(&of(&store.name));
            writes.inc_by(store.written.into());
        }
    }

    /// # Errors
    /// The encoder's; it has none for text in memory.
    pub(super) fn text(
        &self,
        stores: &[Store],
        ready: bool,
        now: Timestamp,
    ) -> Result<String, String> {
        self.ready.set(ready.into());
        self.show(stores, now);
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| error.to_string())?;
        Ok(text)
    }

    /// What is known of the stores now, and nothing of what they held before.
    fn show(&self, stores: &[Store], now: Timestamp) {
        self.version.clear();
        for family in [&self.age, &self.fetched, &self.checked] {
            family.clear();
        }
        for family in [&self.flags, &self.bytes] {
            family.clear();
        }
        for store in stores {
            let Some(held) = &store.held else {
                continue;
            };
            let labels = of(&store.name);
            let digest = vec![("store", store.name.clone()), ("digest", held.digest.clone())];
            self.version.get_or_create(&digest).set(1);
            if let Some(age) = store.age(now) {
                self.age.get_or_create(&labels).set(age.as_secs_f64());
            }
            if let Some(time) = held.fetched_at {
                self.fetched.get_or_create(&labels).set(seconds(time));
            }
            if let Some(time) = held.checked_at {
                self.checked.get_or_create(&labels).set(seconds(time));
            }
            if let Some(flags) = held.flags {
                self.flags.get_or_create(&labels).set(flags.try_into().unwrap_or(i64::MAX));
            }
            let bytes = held.bytes.try_into().unwrap_or(i64::MAX);
            self.bytes.get_or_create(&labels).set(bytes);
        }
    }
}

/// Registers a metric, and gives it back to be counted with.
fn put<M: Metric + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    metric: M,
) -> M {
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, metric.clone()),
        None => registry.register(name, help, metric.clone()),
    }
    metric
}

fn of(store: &str) -> Labels {
    vec![("store", store.to_owned())]
}

fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1e3
}
