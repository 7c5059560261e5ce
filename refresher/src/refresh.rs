//! One refresh. A good snapshot is only ever replaced by a good snapshot.

use std::time::Duration;

use flagpost_engine::snapshot::Header;
use jiff::{SignedDuration, Timestamp};
use tracing::{Instrument, info, info_span, warn};

use crate::clock::Clock;
use crate::outcome::{self, Facts, Outcome, Reason, Status, size};
use crate::progress;
use crate::retry::{Again, Transient};
use crate::snapshot::{self, Held, short};
use crate::store::{Expected, Item, Store, StoreError};
use crate::upstream::{Asked, Fault, Reply, Upstream};

mod publish;

use publish::{OnConflict, Published, publish};

/// What a refresh may do.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// How often `checked_at` is renewed when nothing else changed; `None` never writes for that.
    pub heartbeat: Option<Duration>,
    /// Whether an empty list of flags may replace one that is not.
    pub allow_empty: bool,
}

/// Asks upstream, and brings the store up to date if that can be done safely.
pub async fn run(
    policy: &Policy,
    upstream: &Upstream,
    store: &dyn Store,
    clock: &dyn Clock,
) -> Outcome {
    let name = store.describe();
    let reading = progress::doing(|| format!("reading {name}"));
    let span = info_span!(target: "flagpost", "read", store = name);
    let read = store.read(&Item::Current).instrument(span).await;
    drop(reading);
    let stored = match read {
        Ok(stored) => stored,
        Err(error) => {
            let text = format!("{error}; posthog was not asked, what is stored stays as it is");
            return Outcome {
                store: Some(name),
                ..Outcome::new(Status::Error, Some(Reason::ReadFailed), text)
            };
        }
    };
    let expected =
        stored.as_ref().map_or(Expected::Absent, |stored| Expected::Is(stored.version.clone()));
    let held = match stored.map(Held::open) {
        Some(Ok(held)) => {
            info!(
                digest = held.header.digest,
                fetched_at = held.header.fetched_at,
                "{name} holds a snapshot"
            );
            Kept::Good(Box::new(held))
        }
        Some(Err(what)) => {
            warn!(
                "what is stored in {name} cannot be used: {what}; asking for all definitions anew"
            );
            Kept::Damaged
        }
        None => {
            info!("nothing is stored in {name} yet");
            Kept::Nothing
        }
    };
    let etag = held.good().and_then(|held| held.etag_from(upstream.identity()));
    let Asked { result, attempts } = upstream.fetch(etag, clock).await;
    let at = result.as_ref().map_or_else(|_| clock.now(), |(_, at)| *at);
    let refresh = Refresh { policy, upstream, store, name: &name, held: &held, expected, at };
    let outcome = match result {
        Ok((Reply::Definitions { body, etag }, _)) => refresh.received(&body, etag).await,
        Ok((Reply::NotModified { etag }, _)) => refresh.confirmed(etag).await,
        Err(fault) => refresh.fault(&fault),
    };
    Outcome { store: Some(name), attempts, ..outcome }
}

/// What the store held when the run began.
enum Kept {
    Good(Box<Held>),
    Damaged,
    Nothing,
}

impl Kept {
    fn good(&self) -> Option<&Held> {
        match self {
            Kept::Good(held) => Some(held),
            _ => None,
        }
    }
}

/// A refresh that has its answer.
struct Refresh<'a> {
    policy: &'a Policy,
    upstream: &'a Upstream,
    store: &'a dyn Store,
    name: &'a str,
    held: &'a Kept,
    expected: Expected,
    /// When upstream was asked.
    at: Timestamp,
}

impl Refresh<'_> {
    async fn received(&self, definitions: &[u8], etag: Option<String>) -> Outcome {
        let identity = self.upstream.identity();
        if let Some(held) = self.held.good()
            && held.header.digest == snapshot::digest(definitions)
            && held.header.upstream.as_ref() == Some(identity)
        {
            return self.unchanged(held, etag.as_deref()).await;
        }
        let ruleset = match snapshot::ruleset(definitions) {
            Ok(ruleset) => ruleset,
            Err(error) => {
                let reason =
                    if error.is_json() { Reason::ParseFailed } else { Reason::InvalidShape };
                let text = format!(
                    "posthog answered 200 with {}, not definitions: {error}",
                    size(definitions.len())
                );
                return self.kept(Status::Error, reason, &text);
            }
        };
        for problem in ruleset.problems() {
            info!("definitions: {problem}");
        }
        let (flags, problems) = (ruleset.flag_keys().len(), ruleset.problems().len());
        let counted = |outcome| Outcome { flags: Some(flags), problems: Some(problems), ..outcome };
        // What cannot be read by this build cannot be counted, so it is taken for something to lose.
        let loses =
            |held: &Held| held.ruleset().map_or(true, |ruleset| !ruleset.flag_keys().is_empty());
        if flags == 0 && !self.policy.allow_empty && self.held.good().is_some_and(loses) {
            let text = "posthog answered with an empty list of flags: if that is right, run once with --allow-empty";
            return counted(self.kept(Status::Stale, Reason::EmptyRefused, text));
        }
        let bytes = match snapshot::sealed(definitions, etag, Some(identity.clone()), self.at) {
            Ok(bytes) => bytes,
            Err(error) => return counted(self.kept(Status::Error, Reason::TooLarge, &error)),
        };
        counted(
            match publish(self.store, &bytes, &self.expected, self.at, OnConflict::NewerWins).await
            {
                Ok(Published::Stored(header)) => {
                    let status = if flags == 0 { Status::Empty } else { Status::Updated };
                    let text = format!(
                        "{}, {}, digest {}…, {}{}",
                        outcome::flags(flags),
                        size(bytes.len()),
                        short(&header.digest),
                        self.name,
                        match problems {
                            0 => String::new(),
                            1 => " (1 problem in the definitions, -v shows it)".to_owned(),
                            n => format!(" ({n} problems in the definitions, -v lists them)"),
                        }
                    );
                    self.stored(status, text, &header, bytes.len())
                }
                Ok(Published::Superseded(held)) => self.superseded(&held),
                Err((reason, text)) => self.kept(Status::Error, reason, &text),
            },
        )
    }

    async fn confirmed(&self, etag: Option<String>) -> Outcome {
        match self.held.good() {
            Some(held) => {
                let etag = etag.or_else(|| held.header.etag.clone());
                self.unchanged(held, etag.as_deref()).await
            }
            // The condition came from a good snapshot, so without one there was no condition.
            None => self.kept(
                Status::Error,
                Reason::UnexpectedStatus,
                "posthog answered 304 although nothing was stored",
            ),
        }
    }

    /// Renews the header if its etag is another or its time is up.
    async fn unchanged(&self, held: &Held, etag: Option<&str>) -> Outcome {
        let header = &held.header;
        let text = |note: &str| {
            format!(
                "definitions of {}, digest {}…, {}{note}",
                header.fetched_at,
                short(&header.digest),
                self.name
            )
        };
        if header.etag.as_deref() == etag && !self.heartbeat_due(header) {
            return Outcome {
                snapshot: Some(Facts::of(header, held.bytes.len())),
                ..Outcome::new(Status::Unchanged, None, text(""))
            };
        }
        let bytes = match held.renewed(etag, self.at) {
            Ok(bytes) => bytes,
            Err(error) => return self.kept(Status::Error, Reason::WriteFailed, &error),
        };
        match publish(self.store, &bytes, &self.expected, self.at, OnConflict::OtherWins).await {
            Ok(Published::Stored(header)) => {
                self.stored(Status::Unchanged, text(" (checked-at renewed)"), &header, bytes.len())
            }
            Ok(Published::Superseded(held)) => self.superseded(&held),
            Err((reason, error)) => {
                let error = format!(
                    "the definitions are current, but checked-at could not be renewed: {error}"
                );
                self.kept(Status::Error, reason, &error)
            }
        }
    }

    fn heartbeat_due(&self, header: &Header) -> bool {
        let Some(heartbeat) = self.policy.heartbeat else {
            return false;
        };
        let Ok(checked_at) = header.checked_at.parse::<Timestamp>() else {
            return true;
        };
        // Either way: a clock that was ahead once must not stop heartbeats until its time has come.
        let passed = self.at.duration_since(checked_at).abs();
        passed >= SignedDuration::try_from(heartbeat).unwrap_or(SignedDuration::MAX)
    }

    fn fault(&self, fault: &Fault) -> Outcome {
        let status = match (fault, self.held) {
            (Fault::ColdCache { .. }, Kept::Good(_)) => Status::Stale,
            _ => Status::Error,
        };
        let retry_after = match fault.again() {
            Again::After(time) => Some(time),
            Again::No | Again::Soon => None,
        };
        let kept = self.kept(status, Reason::from(fault), &fault.to_string());
        Outcome { retry_after, ..kept }
    }

    fn stored(&self, status: Status, text: String, header: &Header, bytes: usize) -> Outcome {
        Outcome {
            written: true,
            snapshot: Some(Facts::of(header, bytes)),
            ..Outcome::new(status, None, text)
        }
    }

    fn superseded(&self, held: &Held) -> Outcome {
        let text = format!(
            "another refresher stored the definitions of {} in {} meanwhile",
            held.header.fetched_at, self.name
        );
        Outcome {
            snapshot: Some(Facts::of(&held.header, held.bytes.len())),
            ..Outcome::new(Status::Skipped, Some(Reason::Superseded), text)
        }
    }

    /// An outcome that leaves the store as it was found.
    fn kept(&self, status: Status, reason: Reason, text: &str) -> Outcome {
        let kept = match self.held {
            Kept::Good(held) => {
                format!("kept the last good snapshot from {}", held.header.fetched_at)
            }
            Kept::Damaged => "the damaged snapshot is still there".to_owned(),
            Kept::Nothing => "no snapshot is stored yet".to_owned(),
        };
        Outcome {
            snapshot: self.held.good().map(|held| Facts::of(&held.header, held.bytes.len())),
            ..Outcome::new(status, Some(reason), format!("{text}; {kept} in {}", self.name))
        }
    }
}

impl From<StoreError> for (Reason, String) {
    fn from(error: StoreError) -> Self {
        let reason = match error {
            StoreError::Conflict => Reason::WriteConflict,
            StoreError::TooLarge { .. } => Reason::StoreLimit,
            StoreError::Failed(_) => Reason::WriteFailed,
        };
        (reason, error.to_string())
    }
}
