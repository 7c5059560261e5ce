//! One store in a run: what it held, and how it is brought up to date.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use flagpost_engine::snapshot::Header;
use jiff::{SignedDuration, Timestamp};
use tracing::{Instrument, info, info_span, warn};

use super::fresh::Fresh;
use super::publish::{Published, publish};
use super::{Job, OnQuota, Refusal, gate};
use crate::clock::Clock;
use crate::diff::diff;
use crate::history::{self, Entry};
use crate::lease::{self, Lease};
use crate::node_cache;
use crate::order::order;
use crate::outcome::{Facts, Outcome, Reason, Status};
use crate::progress;
use crate::report::{count, size};
use crate::snapshot::{Held, sealed_as, short};
use crate::store::{Expected, Item, Store, StoreError, Stored};
use crate::upstream::{Asked, Reply};

/// How often a store is tried because other writers were faster: enough for hundreds at once.
const ROUNDS: u32 = 60;
/// Longest pause between two rounds; they begin much shorter.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

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

/// A step on the way: what became of the store, or the need for another try.
enum Step {
    Done(Box<Outcome>),
    /// Somebody else wrote: what is there now is in `kept`.
    Again,
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

    /// Tries until the store holds the definitions, or somebody's newer ones.
    async fn bring(&mut self, job: &Job, clock: &dyn Clock, fresh: &Fresh) -> Outcome {
        let mut asked: Option<Fresh> = None;
        for round in 0..ROUNDS {
            let fresh = asked.as_ref().unwrap_or(fresh);
            match self.step(job, fresh).await {
                Step::Done(outcome) => return *outcome,
                Step::Again => {}
            }
            if let Some(closed) = self.closed() {
                return closed;
            }
            tokio::time::sleep(pause(round)).await;
            match self.compare(job, clock, fresh).await {
                Ok(None) => {}
                Ok(Some(newer)) => asked = Some(newer),
                Err(outcome) => return *outcome,
            }
        }
        let text = "other writers were faster again and again".to_owned();
        self.refused(&Refusal::new(Status::Error, Reason::WriteConflict, text))
    }

    /// One try.
    async fn step(&mut self, job: &Job, fresh: &Fresh) -> Step {
        let held = match &self.kept {
            Kept::Good(held) if fresh.is_held(held) => {
                return self.unchanged(job, &held.clone(), fresh).await;
            }
            Kept::Good(held) => Some(held.clone()),
            _ => None,
        };
        let checked = match gate::pass(&job.policy, held.as_deref(), self.is_damaged(), fresh) {
            Ok(checked) => checked,
            Err(refusal) => return self.done(self.refused(&refusal)),
        };
        let bytes = match sealed_as(&fresh.definitions, fresh.digest.clone(), fresh.origin.clone())
        {
            Ok(bytes) => bytes,
            Err(error) => {
                let refusal = Refusal::new(Status::Error, Reason::TooLarge, error);
                return self.done(self.refused(&refusal));
            }
        };
        let flags = checked.keys.len();
        let entry =
            Entry::new(&fresh.digest, &fresh.origin.fetched_at, fresh.at, flags, bytes.len());
        let mut listed = job.policy.history > 0;
        if listed {
            let kept = history::keep(self.store, held.as_deref(), &entry.digest, &bytes).await;
            listed = kept.is_ok();
            self.warn(kept);
        }
        let published = match publish(self.store, &bytes, &self.expected).await {
            Ok(Published::Stored(held)) => held,
            Ok(Published::Overtaken(stored)) => {
                self.saw(stored);
                return Step::Again;
            }
            Err((reason, text)) => {
                // What kept the version from being written kept the snapshot, too.
                self.warnings.clear();
                let refusal = Refusal::new(Status::Error, reason, text);
                return self.done(self.refused(&refusal));
            }
        };
        if listed {
            let recorded =
                history::record(self.store, held.as_deref(), entry, job.policy.history).await;
            self.warn(recorded);
        }
        let changes = held.and_then(|held| diff(held.definitions(), &fresh.definitions).ok());
        let status = if flags == 0 { Status::Empty } else { Status::Updated };
        let text = match fresh.cleared {
            Some(Reason::Quota) => {
                "posthog's quota is used up (402), and the policy is to clear".to_owned()
            }
            Some(_) => "posthog's cache is cold (503), and the policy is to clear".to_owned(),
            None => format!("{}, {}", count(flags, "flag"), size(bytes.len())),
        };
        let text = format!("{text}, digest {}…, {}", short(&fresh.digest), self.name);
        let outcome = Outcome { changes, ..self.stored(status, fresh.cleared, text, published) };
        self.done(outcome)
    }

    /// Renews the header if its etag is another or its time is up.
    async fn unchanged(&mut self, job: &Job, held: &Held, fresh: &Fresh) -> Step {
        let header = &held.header;
        let status = match fresh.cleared {
            Some(_) => Status::Empty,
            None => Status::Unchanged,
        };
        let text = |note: &str| {
            format!(
                "definitions of {}, digest {}…, {}{note}",
                header.fetched_at,
                short(&header.digest),
                self.name
            )
        };
        let etag = fresh.origin.etag.as_deref();
        if header.etag.as_deref() == etag && !heartbeat_due(job.policy.heartbeat, header, fresh.at)
        {
            let outcome = Outcome {
                snapshot: Some(Facts::of(header, held.bytes.len())),
                ..self.outcome(status, fresh.cleared, text(""))
            };
            return self.done(outcome);
        }
        let published = match held.renewed(etag, fresh.at) {
            Ok(bytes) => publish(self.store, &bytes, &self.expected).await,
            Err(error) => Err((Reason::WriteFailed, error)),
        };
        match published {
            Ok(Published::Stored(held)) => {
                let text = text(" (checked-at renewed)");
                let outcome = self.stored(status, fresh.cleared, text, held);
                self.done(outcome)
            }
            Ok(Published::Overtaken(stored)) => {
                self.saw(stored);
                Step::Again
            }
            Err((reason, error)) => {
                let text = format!(
                    "the definitions are current, but checked-at could not be renewed: {error}"
                );
                self.done(self.refused(&Refusal::new(Status::Error, reason, text)))
            }
        }
    }

    /// After somebody else wrote: whose definitions are newer? If they do not tell, upstream does,
    /// asked after theirs were read. Gives what it said if that is not what is stored.
    async fn compare(
        &mut self,
        job: &Job,
        clock: &dyn Clock,
        fresh: &Fresh,
    ) -> Result<Option<Fresh>, Box<Outcome>> {
        let Some(theirs) = self.good() else {
            return Ok(None);
        };
        // Whoever wrote meanwhile had definitions, which beats having none.
        if fresh.is_held(theirs) || fresh.cleared.is_some() {
            return Err(Box::new(self.superseded(theirs)));
        }
        match order(theirs.definitions(), &fresh.definitions) {
            Some(Ordering::Less) => return Ok(None),
            Some(_) => return Err(Box::new(self.superseded(theirs))),
            None => {}
        }
        let etag = self.confirmable(job).and_then(|held| held.header.etag.as_deref());
        let Asked { result, .. } = job.upstream.fetch(etag, clock).await;
        match result {
            Ok((Reply::NotModified { .. }, _)) => Err(Box::new(self.superseded(theirs))),
            Ok((Reply::Definitions { body, etag }, at)) => Fresh::received(job, body, etag, at)
                .map(Some)
                .map_err(|refusal| Box::new(self.refused(&refusal))),
            Err(fault) => Err(Box::new(self.refused(&Refusal::of(&fault, clock.now())))),
        }
    }

    /// Whether the policy wants the snapshot emptied because of what upstream said.
    fn clearing(&self, job: &Job, refusal: &Refusal) -> Option<Reason> {
        let clears = match (refusal.reason, job.policy.clear_cold_after) {
            (Reason::Quota, _) => job.policy.on_quota == OnQuota::Clear,
            (Reason::ColdCache, Some(age)) => match (&self.kept, refusal.at) {
                (Kept::Good(held), Some(at)) => is_older(&held.header, age, at),
                _ => true,
            },
            _ => false,
        };
        clears.then_some(refusal.reason)
    }

    /// Writes what a plain posthog-node reads, if it is not that already.
    async fn mirror(&mut self, job: &Job) {
        let item = Item::NodeCache(job.upstream.project_key().to_owned());
        let mirrored = async {
            for _ in 0..ROUNDS {
                let Some(wanted) = self.mirrored()? else { return Ok(()) };
                let there = self.store.read(&item).await.map_err(|error| error.to_string())?;
                if there.as_ref().is_some_and(|there| there.bytes == wanted) {
                    return Ok(());
                }
                // What replaces it is what is stored after it was read. Whoever stores something
                // newer replaces it afterwards, and then this write is refused.
                let stored = self.store.read(&Item::Current).await;
                self.saw(stored.map_err(|error| error.to_string())?);
                let Some(wanted) = self.mirrored()? else { return Ok(()) };
                let expected = there.map_or(Expected::Absent, |there| Expected::Is(there.version));
                // Read back by the next round.
                match self.store.write(&item, &wanted, &expected).await {
                    Ok(()) | Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
            Err("it does not read back".to_owned())
        };
        let mirrored = mirrored.await;
        self.warn(
            mirrored.map_err(|error| format!("posthog-node's cache is not written: {error}")),
        );
    }

    /// What posthog-node's cache is to hold, if the store holds definitions.
    fn mirrored(&self) -> Result<Option<Vec<u8>>, String> {
        match &self.kept {
            Kept::Good(held) | Kept::Pinned(held) => {
                node_cache::from_definitions(held.definitions()).map(Some)
            }
            Kept::Damaged | Kept::Nothing | Kept::Closed(_) => Ok(None),
        }
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

    fn done(&self, outcome: Outcome) -> Step {
        Step::Done(Box::new(outcome))
    }

    /// What this run has just written is what the store holds.
    fn stored(
        &mut self,
        status: Status,
        reason: Option<Reason>,
        text: String,
        held: Box<Held>,
    ) -> Outcome {
        let snapshot = Some(Facts::of(&held.header, held.bytes.len()));
        self.kept = Kept::Good(Arc::new(*held));
        Outcome { written: true, snapshot, ..self.outcome(status, reason, text) }
    }

    fn superseded(&self, theirs: &Held) -> Outcome {
        let text = format!(
            "another refresher stored the definitions of {} in {} meanwhile",
            theirs.header.fetched_at, self.name
        );
        Outcome {
            snapshot: Some(Facts::of(&theirs.header, theirs.bytes.len())),
            ..self.outcome(Status::Skipped, Some(Reason::Superseded), text)
        }
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

fn heartbeat_due(heartbeat: Option<Duration>, header: &Header, at: Timestamp) -> bool {
    heartbeat.is_some_and(|heartbeat| is_older(header, heartbeat, at))
}

/// Whether a snapshot was last checked so long ago. Either way: a clock that was ahead once must not
/// stop what is due until its time has come.
fn is_older(header: &Header, age: Duration, at: Timestamp) -> bool {
    let Ok(checked_at) = header.checked_at.parse::<Timestamp>() else {
        return true;
    };
    let passed = at.duration_since(checked_at).abs();
    passed >= SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX)
}

/// A pause before another try, different for each writer so that they do not meet again.
fn pause(round: u32) -> Duration {
    let longest = Duration::from_millis(10).saturating_mul(1 << round.min(8)).min(LONGEST_PAUSE);
    longest.mul_f64(fastrand::f64())
}
