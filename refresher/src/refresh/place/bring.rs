//! The tries until a store holds the definitions, or somebody's newer ones.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use super::super::fresh::Fresh;
use super::super::publish::{Published, publish};
use super::super::{Job, Refusal, gate};
use super::{Kept, Place};
use crate::clock::{Clock, has_passed};
use crate::diff::diff;
use crate::history::{self, Entry};
use crate::order::order;
use crate::outcome::{Facts, Outcome, Reason, Status};
use crate::report::{count, size};
use crate::snapshot::{Held, sealed_as, short};
use crate::upstream::{Asked, Reply};

/// How often a store is tried because other writers were faster: enough for hundreds at once.
const ROUNDS: u32 = 60;
/// Longest pause between two rounds; they begin much shorter.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A step on the way: what became of the store, or the need for another try.
enum Step {
    Done(Box<Outcome>),
    /// Somebody else wrote: what is there now is in `kept`.
    Again,
}

impl Place<'_> {
    /// Tries until the store holds the definitions, or somebody's newer ones.
    pub(super) async fn bring(&mut self, job: &Job, clock: &dyn Clock, fresh: &Fresh) -> Outcome {
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
        let (digest, origin) = (fresh.digest.clone(), fresh.origin.clone());
        let bytes = match sealed_as(&fresh.definitions, digest, Some(&checked.ruleset), origin) {
            Ok(bytes) => bytes,
            Err(error) => {
                let refusal = Refusal::new(Status::Error, Reason::TooLarge, error);
                return self.done(self.refused(&refusal));
            }
        };
        let flags = checked.ruleset.len();
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
        let stored = self.stored(status, fresh.cleared, text, published);
        let outcome = Outcome { changes, flags: Some(flags), ..stored };
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
        let due = |heartbeat| has_passed(heartbeat, &header.checked_at, fresh.at);
        if header.etag.as_deref() == etag && !job.policy.heartbeat.is_some_and(due) {
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
}

/// A pause before another try, different for each writer so that they do not meet again.
fn pause(round: u32) -> Duration {
    let longest = Duration::from_millis(10).saturating_mul(1 << round.min(8)).min(LONGEST_PAUSE);
    longest.mul_f64(fastrand::f64())
}
