//! What became of a run: a status, a line for people, a line for machines, an exit code.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use flagpost_engine::snapshot::Header;
use serde::{Serialize, Serializer};

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
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Named as @posthog/convex names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// New definitions are stored.
    Updated,
    /// The stored definitions are current.
    Unchanged,
    /// The project has no flags, and that is what is stored.
    Empty,
    /// The stored definitions stay although PostHog has no others to give.
    Stale,
    /// Nothing was to be done: another refresher stored something newer.
    Skipped,
    Error,
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
}

impl Reason {
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
            | Reason::EmptyRefused => Exit::Invalid,
            Reason::ReadFailed => Exit::StoreRead,
            Reason::WriteFailed
            | Reason::WriteUnverified
            | Reason::WriteConflict
            | Reason::StoreLimit => Exit::StoreWrite,
            Reason::Superseded => Exit::Ok,
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

/// What became of one refresh; serialised, it is the line of `--json`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub status: Status,
    /// Only for `stale`, `skipped` and `error`.
    pub reason: Option<Reason>,
    #[serde(rename = "exitCode", serialize_with = "exit_code")]
    pub exit: Exit,
    /// The same for people.
    pub message: String,
    /// The store's address; null when the settings name none.
    pub store: Option<String>,
    /// Whether this run changed the store.
    pub written: bool,
    /// How often PostHog was asked.
    pub attempts: u32,
    /// How long PostHog wants to be left alone, if it said so last.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// Flags among the definitions that came; null when none came or they are those stored.
    pub flags: Option<usize>,
    /// How many things about those definitions the evaluator had to pass over (`-v` lists them).
    pub problems: Option<usize>,
    /// What is stored now; null when that is nothing or not known.
    pub snapshot: Option<Facts>,
}

impl Outcome {
    /// An outcome that failed before anything was asked.
    #[must_use]
    pub fn usage(message: &str) -> Self {
        Outcome::new(Status::Error, Some(Reason::Config), message.to_owned())
    }

    #[must_use]
    pub fn new(status: Status, reason: Option<Reason>, message: String) -> Self {
        Outcome {
            status,
            reason,
            exit: reason.map_or(Exit::Ok, Reason::exit),
            message,
            store: None,
            written: false,
            attempts: 0,
            retry_after: None,
            flags: None,
            problems: None,
            snapshot: None,
        }
    }

    /// Prints it: for people on stdout or, if it failed, on stderr; for machines on stdout.
    pub fn print(&self, json: bool) {
        if json {
            say(&self.json());
        }
        match (json, self.exit) {
            (false, Exit::Ok) => say(&self.human()),
            (true, Exit::Ok) => {}
            _ => eprintln!("{}", self.human()),
        }
    }

    /// One line for people.
    #[must_use]
    pub fn human(&self) -> String {
        format!("{}: {}", name(&self.status), self.message)
    }

    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn exit_code<S: Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(*exit as u8)
}

fn name(status: &Status) -> &'static str {
    match status {
        Status::Updated => "updated",
        Status::Unchanged => "unchanged",
        Status::Empty => "empty",
        Status::Stale => "stale",
        Status::Skipped => "skipped",
        Status::Error => "error",
    }
}

/// Prints a line on stdout. Nobody listening (`refresher … | head`) is no failure of ours.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A number of flags for people: `1 flag`, `2 flags`.
#[must_use]
pub fn flags(count: usize) -> String {
    format!("{count} flag{}", if count == 1 { "" } else { "s" })
}

/// A size for people: `812 B`, `10.2 KB`, `1.4 MB`.
#[must_use]
pub fn size(bytes: usize) -> String {
    match bytes as f64 {
        _ if bytes < 1000 => format!("{bytes} B"),
        size if bytes < 1_000_000 => format!("{:.1} KB", size / 1e3),
        size => format!("{:.1} MB", size / 1e6),
    }
}
