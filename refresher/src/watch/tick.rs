//! What one refresh comes to, as far as the daemon cares.

use std::time::Duration;

use jiff::Timestamp;

use crate::outcome::{Exit, Outcome, Reason, Status};

/// The result of one refresh of all stores.
#[derive(Debug, Clone)]
pub struct Tick {
    pub status: Status,
    pub reason: Option<Reason>,
    pub exit: Exit,
    /// For people; never a secret.
    pub message: String,
    /// How often PostHog was asked.
    pub attempts: u32,
    /// How long PostHog, when last asked, wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Empty when no store was looked at.
    pub stores: Vec<StoreTick>,
}

impl Tick {
    /// Whether not one store was brought up to date. While some are, PostHog is asked as often as
    /// ever: their readers must not wait for the others.
    #[must_use]
    pub fn in_vain(&self) -> bool {
        self.exit != Exit::Ok && !self.stores.iter().any(|store| store.current)
    }
}

/// What one store comes to.
#[derive(Debug, Clone)]
pub struct StoreTick {
    /// Its address, never a secret.
    pub name: String,
    /// Whether PostHog confirmed in this refresh what the store now holds.
    pub current: bool,
    /// Whether this refresh changed it.
    pub written: bool,
    pub message: String,
    pub holds: Holds,
}

/// What a store holds after a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    Snapshot(Held),
    /// Nothing, or nothing that can be used.
    Nothing,
    /// It was not looked at: it could not be read, or another refresher has its lease.
    Unknown,
}

/// A good snapshot in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub digest: String,
    pub fetched_at: Option<Timestamp>,
    pub checked_at: Option<Timestamp>,
    /// `None` when this refresh had no reason to count them.
    pub flags: Option<usize>,
    /// The whole snapshot's size.
    pub bytes: usize,
}

impl From<&Outcome> for StoreTick {
    fn from(outcome: &Outcome) -> Self {
        let holds = match (&outcome.snapshot, outcome.reason) {
            (Some(facts), _) => Holds::Snapshot(Held {
                digest: facts.digest.clone(),
                fetched_at: facts.fetched_at.parse().ok(),
                checked_at: facts.checked_at.parse().ok(),
                flags: outcome.flags,
                bytes: facts.bytes,
            }),
            (None, Some(Reason::ReadFailed | Reason::Leased)) => Holds::Unknown,
            (None, _) => Holds::Nothing,
        };
        StoreTick {
            name: outcome.store.clone(),
            current: outcome.exit() == Exit::Ok,
            written: outcome.written,
            message: outcome.message.clone(),
            holds,
        }
    }
}
