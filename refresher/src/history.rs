//! A store's past: versions by digest, the list of them, and what went wrong last.
//!
//! Versions are written before the snapshot that readers read, the list after it. A run that is killed
//! between the two leaves a version that the list lacks; the next one that publishes adds it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::clock::{has_passed, rfc3339};
use crate::outcome::Outcome;
use crate::snapshot::{Held, short};
use crate::store::{Expected, Item, Store, StoreError, Stored};

/// How often the list is written anew because somebody else did.
const ROUNDS: u32 = 60;
/// How often the same failure is noted at most, unless heartbeats come less often.
const NOTED_EVERY: Duration = Duration::from_secs(3600);

/// What a store knows of its past.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Newest first.
    #[serde(default)]
    pub versions: Vec<Entry>,
    #[serde(default)]
    pub last_error: Option<LastError>,
}

/// A version that can be gone back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `sha256:` and 64 hex digits, of the definitions.
    pub digest: String,
    /// When upstream sent them, RFC 3339.
    pub fetched_at: String,
    /// When they became what readers read, RFC 3339.
    pub stored_at: String,
    pub flags: usize,
    /// The whole snapshot's size.
    pub bytes: usize,
}

/// The failure that was last noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// RFC 3339.
    pub at: String,
    pub status: String,
    pub reason: String,
    pub message: String,
}

impl Entry {
    #[must_use]
    pub fn new(digest: &str, fetched_at: &str, at: Timestamp, flags: usize, bytes: usize) -> Self {
        Entry {
            digest: digest.to_owned(),
            fetched_at: fetched_at.to_owned(),
            stored_at: rfc3339(at),
            flags,
            bytes,
        }
    }

    /// That of a snapshot the list does not know, because an earlier version of this program or a
    /// run that was killed wrote it.
    pub(crate) fn of(held: &Held) -> Self {
        let flags = held.ruleset().map_or(0, |ruleset| ruleset.len());
        let header = &held.header;
        Entry {
            digest: header.digest.clone(),
            fetched_at: header.fetched_at.clone(),
            stored_at: header.fetched_at.clone(),
            flags,
            bytes: held.bytes.len(),
        }
    }
}

/// Reads a store's history: an empty one where there is none, or none that can be read.
///
/// # Errors
/// The store cannot be read.
pub async fn read(store: &dyn Store) -> Result<History, StoreError> {
    Ok(parse(store.read(&Item::History).await?.as_ref()))
}

fn parse(stored: Option<&Stored>) -> History {
    stored.and_then(|stored| serde_json::from_slice(&stored.bytes).ok()).unwrap_or_default()
}

/// Opens a version of a store.
///
/// # Errors
/// It cannot be read, is not there, or is damaged: as text.
pub async fn version(store: &dyn Store, digest: &str) -> Result<Held, String> {
    let stored = store.read(&Item::version(digest)).await;
    let stored = stored.map_err(|error| error.to_string())?;
    let stored = stored
        .ok_or_else(|| format!("{} holds no version {}…", store.describe(), short(digest)))?;
    let held = Held::open(stored)?;
    match held.header.digest == digest {
        true => Ok(held),
        false => Err(format!("what is kept as {}… is another version", short(digest))),
    }
}

/// Keeps a snapshot that is about to be published as a version, and the one that it replaces if no
/// run has done so.
///
/// # Errors
/// A version could not be written, as text; publishing may go on, and is not to be recorded: the list
/// names only what can be gone back to.
pub async fn keep(
    store: &dyn Store,
    replaced: Option<&Held>,
    digest: &str,
    bytes: &[u8],
) -> Result<(), String> {
    let known = read(store).await.map_err(|error| format!("the history: {error}"))?;
    let is_known = |digest: &str| known.versions.iter().any(|known| known.digest == digest);
    // Also if the list has it: it may be about to be let go of by another refresher, or be damaged.
    let mut versions = vec![(digest.to_owned(), bytes)];
    versions.extend(
        replaced
            .filter(|held| !is_known(&held.header.digest))
            .map(|held| (held.header.digest.clone(), held.bytes.as_slice())),
    );
    for (digest, bytes) in versions {
        let item = Item::version(&digest);
        let written = match store.write(&item, bytes, &Expected::Absent).await {
            Err(StoreError::Conflict) => match version(store, &digest).await {
                Ok(_) => Ok(()),
                // Damaged: the one case in which a version is written twice.
                Err(_) => store.write(&item, bytes, &Expected::Any).await,
            },
            written => written,
        };
        written.map_err(|error| {
            format!("version {}… is not kept for a rollback: {error}", short(&digest))
        })?;
    }
    Ok(())
}

/// Puts what was just published at the head of the list, and lets go of versions beyond a limit.
///
/// # Errors
/// The list could not be written, as text; what was published stands.
pub async fn record(
    store: &dyn Store,
    replaced: Option<&Held>,
    entry: Entry,
    limit: usize,
) -> Result<(), String> {
    let mut dropped = Vec::new();
    let changed = change(store, |history| {
        if let Some(held) = replaced
            && !history.versions.iter().any(|known| known.digest == held.header.digest)
        {
            history.versions.insert(0, Entry::of(held));
        }
        history.versions.retain(|known| known.digest != entry.digest);
        history.versions.insert(0, entry.clone());
        // Refreshers that publish at the same time may list their entries in another order.
        history.versions.sort_by(|a, b| b.stored_at.cmp(&a.stored_at));
        dropped = history.versions.split_off(limit.min(history.versions.len()));
        true
    })
    .await;
    changed.map_err(|error| format!("the history is not written: {error}"))?;
    for entry in dropped {
        if let Err(error) = store.remove(&Item::version(&entry.digest)).await {
            debug!("version {}… is not removed: {error}", short(&entry.digest));
        }
    }
    Ok(())
}

/// Notes a failure, once for as long as it lasts and then at most once a heartbeat: writes cost. That
/// it cannot be noted is no failure of its own.
pub async fn failed(
    store: &dyn Store,
    outcome: &Outcome,
    at: Timestamp,
    heartbeat: Option<Duration>,
) {
    let error = LastError {
        at: rfc3339(at),
        status: outcome.status.as_str().to_owned(),
        reason: outcome.reason.map(|reason| reason.name()).unwrap_or_default(),
        message: outcome.message.clone(),
    };
    let pause = heartbeat.unwrap_or(NOTED_EVERY).max(NOTED_EVERY);
    let noted = change(store, |history| {
        let known = history.last_error.as_ref().filter(|known| known.reason == error.reason);
        let due = known.is_none_or(|known| has_passed(pause, &known.at, at));
        if due {
            history.last_error = Some(error.clone());
        }
        due
    });
    if let Err(error) = noted.await {
        debug!("the failure is not noted in {}: {error}", store.describe());
    }
}

/// Changes the list if there is anything to change.
async fn change(
    store: &dyn Store,
    mut change: impl FnMut(&mut History) -> bool,
) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let stored = store.read(&Item::History).await?;
        let mut history = parse(stored.as_ref());
        if !change(&mut history) {
            return Ok(());
        }
        let expected = stored.map_or(Expected::Absent, |stored| Expected::Is(stored.version));
        let bytes = serde_json::to_vec_pretty(&history)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        match store.write(&Item::History, &bytes, &expected).await {
            Err(StoreError::Conflict) => tokio::time::sleep(Duration::from_millis(20)).await,
            written => return written,
        }
    }
    Err(StoreError::Conflict)
}
