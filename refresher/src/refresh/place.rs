//! One store in a run: what it held, and how it is brought up to date.

use std::sync::Arc;

use tracing::{Instrument, info, info_span, warn};

use super::fresh::Fresh;
use super::{Job, OnQuota, Refusal};
use crate::clock::{Clock, has_passed};
use crate::history;
use crate::lease::{self, Lease};
use crate::outcome::{Facts, Outcome, Reason, Status};
use crate::progress;
use crate::snapshot::{Held, short};
use crate::store::{Expected, Item, Store, Stored};

mod bring;
mod mirror;

/// A store that a run has opened.
pub(super) struct Place<'a> {
    store: &'a dyn Store,
    name: String,
    kept: Kept,
    expected: Expected,
    lease: Option<Lease>,
    warnings: Vec<String>,
}

/// What a store held when it was last read.
enum Kept {
    Good(Arc<Held>),
    Damaged,
    Nothing,
    /// Good, and to be left as it is.
    Pinned(Arc<Held>),
    /// Nothing is to be done here: why.
    Closed(Box<Outcome>),
}

impl<'a> Place<'a> {
    /// Reads a store, with its lease if the policy wants one.
    pub(super) async fn open(job: &Job, store: &'a dyn Store, clock: &dyn Clock) -> Place<'a> {
        let mut place = Place {
            store,
            name: store.describe(),
            kept: Kept::Nothing,
            expected: Expected::Absent,
            lease: None,
            warnings: Vec::new(),
        };
        if let Some(time) = job.policy.lease {
            match lease::acquire(store, time, clock).await {
                Ok(Ok(lease)) => place.lease = Some(lease),
                Ok(Err(until)) => {
                    let text = format!(
                        "another refresher holds the lease of {} until {until}",
                        place.name
                    );
                    place.close(Status::Skipped, Reason::Leased, text);
                    return place;
                }
                Err(error) => {
                    let text = format!("the lease of {} cannot be had: {error}", place.name);
                    place.close(Status::Error, Reason::ReadFailed, text);
                    return place;
                }
            }
        }
        let reading = progress::doing(|| format!("reading {}", place.name));
        let span = info_span!(target: "flagpost", "read", store = place.name);
        let read = store.read(&Item::Current).instrument(span).await;
        drop(reading);
        match read {
            Ok(stored) => place.saw(stored),
            Err(error) => {
                let text = format!("{error}; what is stored stays as it is");
                place.close(Status::Error, Reason::ReadFailed, text);
            }
        }
        place
    }

    /// Whether there is anything to do.
    pub(super) fn is_open(&self) -> bool {
        self.closed().is_none()
    }

    /// What is clear whatever upstream says.
    fn closed(&self) -> Option<Outcome> {
        match &self.kept {
            Kept::Closed(outcome) => Some((**outcome).clone()),
            Kept::Pinned(held) => {
                let text = format!(
                    "{} is pinned to digest {}… of {}, `refresher unpin` lets it go on",
                    self.name,
                    short(&held.header.digest),
                    held.header.fetched_at
                );
                Some(Outcome {
                    snapshot: Some(Facts::of(&held.header, held.bytes.len())),
                    ..self.outcome(Status::Skipped, Some(Reason::Pinned), text)
                })
            }
            Kept::Good(_) | Kept::Damaged | Kept::Nothing => None,
        }
    }

    /// The snapshot whose definitions upstream can be asked to confirm.
    pub(super) fn confirmable(&self, job: &Job) -> Option<&Held> {
        self.good().filter(|held| confirmable(job, held))
    }

    /// Gives the lease back.
    pub(super) async fn release(self) {
        if let Some(lease) = self.lease {
            lease.release(self.store).await;
        }
    }

    /// Brings the store up to date, or says why it stays as it is.
    pub(super) async fn settle(
        &mut self,
        job: &Job,
        clock: &dyn Clock,
        answer: Result<&Fresh, &Refusal>,
    ) -> Outcome {
        let outcome = match (self.closed(), answer) {
            (Some(closed), _) => closed,
            (None, Ok(fresh)) => self.bring(job, clock, fresh).await,
            (None, Err(refusal)) => match self.clearing(job, refusal) {
                Some(reason) => {
                    let cleared = Fresh::cleared(job, reason, clock.now());
                    self.bring(job, clock, &cleared).await
                }
                None => self.refused(refusal),
            },
        };
        if outcome.status >= Status::Stale && outcome.reason != Some(Reason::ReadFailed) {
            let at = clock.now();
            history::failed(self.store, &outcome, at, job.policy.heartbeat).await;
        }
        if job.policy.node_cache {
            self.mirror(job).await;
        }
        Outcome { warnings: std::mem::take(&mut self.warnings), ..outcome }
    }

    /// Whether the policy wants the snapshot emptied because of what upstream said.
    fn clearing(&self, job: &Job, refusal: &Refusal) -> Option<Reason> {
        let clears = match (refusal.reason, job.policy.clear_cold_after) {
            (Reason::Quota, _) => job.policy.on_quota == OnQuota::Clear,
            (Reason::ColdCache, Some(age)) => match (&self.kept, refusal.at) {
                (Kept::Good(held), Some(at)) => has_passed(age, &held.header.checked_at, at),
                _ => true,
            },
            _ => false,
        };
        clears.then_some(refusal.reason)
    }

    /// Takes in what the store holds now.
    fn saw(&mut self, stored: Option<Stored>) {
        let name = &self.name;
        self.expected =
            stored.as_ref().map_or(Expected::Absent, |stored| Expected::Is(stored.version.clone()));
        match stored.map(Held::open) {
            Some(Ok(held)) if held.header.pinned => self.kept = Kept::Pinned(Arc::new(held)),
            Some(Ok(held)) => {
                info!(
                    digest = held.header.digest,
                    fetched_at = held.header.fetched_at,
                    "{name} holds a snapshot"
                );
                self.kept = Kept::Good(Arc::new(held));
            }
            Some(Err(what)) => {
                warn!(
                    "what is stored in {name} cannot be used: {what}; asking for all definitions anew"
                );
                self.kept = Kept::Damaged;
            }
            None => {
                info!("nothing is stored in {name} yet");
                self.kept = Kept::Nothing;
            }
        }
    }

    fn good(&self) -> Option<&Held> {
        match &self.kept {
            Kept::Good(held) => Some(held),
            _ => None,
        }
    }

    fn is_damaged(&self) -> bool {
        matches!(self.kept, Kept::Damaged)
    }

    fn close(&mut self, status: Status, reason: Reason, text: String) {
        self.kept = Kept::Closed(Box::new(self.outcome(status, Some(reason), text)));
    }

    fn warn(&mut self, result: Result<(), String>) {
        self.warnings.extend(result.err());
    }

    fn outcome(&self, status: Status, reason: Option<Reason>, text: String) -> Outcome {
        Outcome::new(&self.name, status, reason, text)
    }

    /// An outcome that leaves the store as it was found.
    fn refused(&self, refusal: &Refusal) -> Outcome {
        let status = match (refusal.reason, &self.kept) {
            (Reason::ColdCache, Kept::Good(_)) => Status::Stale,
            _ => refusal.status,
        };
        let kept = match &self.kept {
            Kept::Good(held) => {
                format!("kept the last good snapshot from {}", held.header.fetched_at)
            }
            Kept::Damaged => "the damaged snapshot is still there".to_owned(),
            Kept::Nothing | Kept::Pinned(_) | Kept::Closed(_) => {
                "no snapshot is stored yet".to_owned()
            }
        };
        let text = format!("{}; {kept} in {}", refusal.text, self.name);
        Outcome {
            snapshot: self.good().map(|held| Facts::of(&held.header, held.bytes.len())),
            ..self.outcome(status, Some(refusal.reason), text)
        }
    }
}

/// Whether upstream can be asked if a snapshot's definitions are still current: they came from it,
/// with a name, and the same was left out of them as would be now.
fn confirmable(job: &Job, held: &Held) -> bool {
    held.etag_from(job.upstream.identity()).is_some()
        && held.header.filter == job.policy.filter.canonical()
}
