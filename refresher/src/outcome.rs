//! What became of one store in a run. [`crate::report`] sums the stores up.

use std::process::ExitCode;

use flagpost_engine::snapshot::Header;
use serde::Serialize;

use crate::diff::Diff;
use crate::upstream::Fault;

/// Exit codes, as `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    Machine = 1,
    Usage = 2,
    Unauthorized = 3,
    Quota = 4,
    RateLimited = 5,
    Upstream = 6,
    Network = 7,
    Invalid = 8,
    StoreRead = 9,
    StoreWrite = 10,
    UnknownFlag = 11,
    Partial = 12,
    TooOld = 13,
    Differs = 14,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Named as @posthog/convex names them, in the order of their seriousness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The stored definitions are current.
    Unchanged,
    /// Nothing was to be done: another refresher was faster, or the snapshot is pinned.
    Skipped,
    /// New definitions are stored.
    Updated,
    /// The project has no flags, and that is what is stored.
    Empty,
    /// The stored definitions stay although PostHog has no others to give, or none to be trusted.
    Stale,
    Error,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Updated => "updated",
            Status::Unchanged => "unchanged",
            Status::Empty => "empty",
            Status::Stale => "stale",
            Status::Skipped => "skipped",
            Status::Error => "error",
        }
    }
}

/// Why a run did not end in current definitions, or did so by somebody else's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Wrong arguments or settings.
    Config,
    Auth,
    Quota,
    RateLimited,
    ColdCache,
    UnexpectedStatus,
    FetchFailed,
    /// What came is not JSON.
    ParseFailed,
    /// What came is JSON and no definitions.
    InvalidShape,
    TooLarge,
    /// An empty list would have replaced flags.
    EmptyRefused,
    /// Too many flags would have vanished at once.
    MassDeletion,
    /// What came is older than what is stored.
    Older,
    ReadFailed,
    WriteFailed,
    /// What was written did not read back.
    WriteUnverified,
    /// Other writers were faster again and again.
    WriteConflict,
    /// The snapshot is larger than the store takes.
    StoreLimit,
    /// Somebody else stored something newer.
    Superseded,
    /// The stored version is to stay.
    Pinned,
    /// Another refresher holds the lease.
    Leased,
    /// Some stores failed, and others did not.
    Partial,
}

impl Reason {
    /// As it stands in JSON.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Reason::Config => Exit::Usage,
            Reason::Auth => Exit::Unauthorized,
            Reason::Quota => Exit::Quota,
            Reason::RateLimited => Exit::RateLimited,
            Reason::ColdCache | Reason::UnexpectedStatus => Exit::Upstream,
            Reason::FetchFailed => Exit::Network,
            Reason::ParseFailed
            | Reason::InvalidShape
            | Reason::TooLarge
            | Reason::EmptyRefused
            | Reason::MassDeletion
            | Reason::Older => Exit::Invalid,
            Reason::ReadFailed => Exit::StoreRead,
            Reason::WriteFailed
            | Reason::WriteUnverified
            | Reason::WriteConflict
            | Reason::StoreLimit => Exit::StoreWrite,
            Reason::Superseded | Reason::Pinned | Reason::Leased => Exit::Ok,
            Reason::Partial => Exit::Partial,
        }
    }
}

impl From<&Fault> for Reason {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Unauthorized(_) | Fault::Forbidden(_) => Reason::Auth,
            Fault::Quota(_) => Reason::Quota,
            Fault::RateLimited { .. } => Reason::RateLimited,
            Fault::ColdCache { .. } => Reason::ColdCache,
            Fault::NotFound(_)
            | Fault::Server { .. }
            | Fault::Redirected { .. }
            | Fault::Unexpected { .. } => Reason::UnexpectedStatus,
            Fault::Network { .. } => Reason::FetchFailed,
            Fault::TooLarge(_) => Reason::TooLarge,
        }
    }
}

/// The snapshot that is in the store when a run ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    pub digest: String,
    pub etag: Option<String>,
    /// RFC 3339.
    pub fetched_at: String,
    /// RFC 3339.
    pub checked_at: String,
    /// The whole snapshot's size.
    pub bytes: usize,
}

impl Facts {
    #[must_use]
    pub fn of(header: &Header, bytes: usize) -> Self {
        Facts {
            digest: header.digest.clone(),
            etag: header.etag.clone(),
            fetched_at: header.fetched_at.clone(),
            checked_at: header.checked_at.clone(),
            bytes,
        }
    }
}

/// What became of one store.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The store's address.
    pub store: String,
    pub status: Status,
    /// For `stale`, `skipped`, `error`, and for `empty` when a policy emptied it.
    pub reason: Option<Reason>,
    /// The same for people.
    pub message: String,
    /// Whether this run changed what readers read.
    pub written: bool,
    /// What is stored now; null when that is nothing or not known.
    pub snapshot: Option<Facts>,
    /// Flags in it, if this run had a reason to count them.
    #[serde(skip)]
    pub flags: Option<usize>,
    /// What this run changed for readers; null when it changed nothing or there was nothing before.
    pub changes: Option<Diff>,
    /// What went wrong beside the snapshot itself, which is safe.
    pub warnings: Vec<String>,
}

impl Outcome {
    #[must_use]
    pub fn new(store: &str, status: Status, reason: Option<Reason>, message: String) -> Self {
        Outcome {
            store: store.to_owned(),
            status,
            reason,
            message,
            written: false,
            snapshot: None,
            flags: None,
            changes: None,
            warnings: Vec::new(),
        }
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        self.reason.map_or(Exit::Ok, Reason::exit)
    }
}
