//! One refresh of all stores. A good snapshot is only ever replaced by a good snapshot.
//!
//! Every store is read first, then PostHog is asked once, then each store is brought up to date. A
//! store that another refresher changed meanwhile is read and PostHog asked again: what is written
//! was always asked for after what it replaces had been written, so it is never older.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tracing::{Instrument, info_span};

use crate::clock::Clock;
use crate::filter::Filter;
use crate::outcome::{Reason, Status};
use crate::report::Report;
use crate::retry::{Again, Transient};
use crate::store::Store;
use crate::upstream::{Asked, Fault, Reply, Upstream};

mod fresh;
mod gate;
mod place;
mod publish;

use fresh::Fresh;
pub(crate) use fresh::undecidable;
use place::Place;
pub(crate) use publish::{Published, publish};

/// What a refresh may do.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How often `checked_at` is renewed when nothing else changed; `None` never writes for that.
    pub heartbeat: Option<Duration>,
    /// Whether an empty list of flags may replace one that is not.
    pub allow_empty: bool,
    /// The share of the stored flags, in percent, that may vanish at once.
    pub max_removed: u8,
    /// Whether the gate is open for whatever the evaluator can read.
    pub force: bool,
    pub on_quota: OnQuota,
    /// How old a snapshot's check must be for a cold cache to empty it; `None` never empties.
    pub clear_cold_after: Option<Duration>,
    /// How many versions a store keeps.
    pub history: usize,
    /// How long a refresher keeps others out.
    pub lease: Option<Duration>,
    /// Whether stores also get what a plain posthog-node reads.
    pub node_cache: bool,
    /// What is left out of the definitions.
    pub filter: Filter,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            heartbeat: None,
            allow_empty: false,
            max_removed: 50,
            force: false,
            on_quota: OnQuota::Keep,
            clear_cold_after: None,
            history: 10,
            lease: None,
            node_cache: false,
            filter: Filter::default(),
        }
    }
}

/// What becomes of a snapshot when PostHog's quota is used up (402).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnQuota {
    /// It stays.
    Keep,
    /// It is emptied, as posthog-node and @posthog/convex do.
    Clear,
}

/// Who is asked, what is brought up to date, and how.
pub struct Job {
    pub policy: Policy,
    pub upstream: Upstream,
    pub stores: Vec<Box<dyn Store>>,
}

/// Asks upstream, and brings the stores up to date where that can be done safely.
pub async fn run(job: &Job, clock: &dyn Clock) -> Report {
    refresh(job, clock).instrument(info_span!(target: "flagpost", "refresh")).await
}

async fn refresh(job: &Job, clock: &dyn Clock) -> Report {
    let opened = job.stores.iter().map(|store| Place::open(job, store.as_ref(), clock));
    let mut places = join_all(opened).await;
    let (answer, attempts) = match places.iter().any(Place::is_open) {
        true => ask(job, &places, clock).await,
        false => (Err(Refusal::unasked()), 0),
    };
    let settled = places.iter_mut().map(|place| place.settle(job, clock, answer.as_ref()));
    let report = Report::of(join_all(settled).await, attempts);
    join_all(places.into_iter().map(Place::release)).await;
    match &answer {
        Ok(fresh) => fresh.describe(report),
        Err(refusal) => Report { retry_after: refusal.retry_after, ..report },
    }
}

/// Asks once for all stores: whether the newest definitions that one of them holds are current.
async fn ask(job: &Job, places: &[Place<'_>], clock: &dyn Clock) -> (Result<Fresh, Refusal>, u32) {
    let base = places
        .iter()
        .filter_map(|place| place.confirmable(job))
        .max_by(|a, b| a.header.fetched_at.cmp(&b.header.fetched_at));
    let etag = base.and_then(|held| held.header.etag.as_deref());
    let Asked { result, attempts } = job.upstream.fetch(etag, clock).await;
    let answer = match (result, base) {
        (Ok((Reply::Definitions { body, etag }, at)), _) => Fresh::received(job, body, etag, at),
        (Ok((Reply::NotModified { etag }, at)), Some(held)) => Ok(Fresh::confirmed(held, etag, at)),
        // The condition came from a good snapshot, so without one there was no condition.
        (Ok((Reply::NotModified { .. }, _)), None) => {
            Err(Refusal::of(&Fault::unconditional(), clock.now()))
        }
        (Err(fault), _) => Err(Refusal::of(&fault, clock.now())),
    };
    (answer, attempts)
}

/// Why there are no definitions to store, or none to be trusted.
#[derive(Debug, Clone)]
struct Refusal {
    status: Status,
    reason: Reason,
    text: String,
    /// When upstream was asked.
    at: Option<Timestamp>,
    /// How long upstream wants to be left alone, if it said so last.
    retry_after: Option<Duration>,
}

impl Refusal {
    fn new(status: Status, reason: Reason, text: String) -> Self {
        Refusal { status, reason, text, at: None, retry_after: None }
    }

    fn of(fault: &Fault, at: Timestamp) -> Self {
        Refusal {
            at: Some(at),
            retry_after: match fault.again() {
                Again::After(time) => Some(time),
                Again::No | Again::Soon => None,
            },
            ..Refusal::new(Status::Error, Reason::from(fault), fault.to_string())
        }
    }

    /// For stores that need no answer.
    fn unasked() -> Self {
        Refusal::new(Status::Skipped, Reason::Pinned, "posthog was not asked".to_owned())
    }
}
