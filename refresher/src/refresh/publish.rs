//! Writing a snapshot so that it is known to be there.

use std::time::Duration;

use tracing::{Instrument, info, info_span, warn};

use crate::outcome::Reason;
use crate::progress;
use crate::snapshot::Held;
use crate::store::{Expected, Item, Store, StoreError, Stored};

/// Pauses before a snapshot that does not read back is read again: stores that copy their data
/// around may show the previous one for a moment.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];

/// What a write came to.
pub(crate) enum Published {
    /// It reads back, as this.
    Stored(Box<Held>),
    /// Another writer was faster: this is there now.
    Overtaken(Option<Stored>),
}

/// Writes a snapshot over what is expected, and reads it back. Only what reads back counts as stored.
pub(crate) async fn publish(
    store: &dyn Store,
    bytes: &[u8],
    expected: &Expected,
) -> Result<Published, (Reason, String)> {
    let name = store.describe();
    let _writing = progress::doing(|| format!("writing {name}"));
    let span = info_span!(target: "flagpost", "write", store = name);
    attempt(store, bytes, expected).instrument(span).await
}

async fn attempt(
    store: &dyn Store,
    bytes: &[u8],
    expected: &Expected,
) -> Result<Published, (Reason, String)> {
    let found = match store.write(&Item::Current, bytes, expected).await {
        Ok(()) => settled(store, bytes, expected).await?,
        Err(StoreError::Conflict) => look(store.read(&Item::Current).await?, bytes)?,
        Err(error @ StoreError::TooLarge { .. }) => return Err(error.into()),
        // The answer may be what was lost, and not the write.
        Err(error) => match store.read(&Item::Current).await.map(|stored| look(stored, bytes)) {
            Ok(Ok(found @ Found::Ours(_))) => {
                warn!("the write was reported as failed ({error}) and reads back nevertheless");
                found
            }
            _ => return Err(error.into()),
        },
    };
    Ok(match found {
        Found::Ours(held) => Published::Stored(held),
        Found::Others(stored) => {
            info!("another refresher wrote {} meanwhile", store.describe());
            Published::Overtaken(Some(stored))
        }
        Found::Nothing => Published::Overtaken(None),
    })
}

/// What is in a store after a write.
enum Found {
    /// What was written, by this write or by an earlier attempt at it.
    Ours(Box<Held>),
    Others(Stored),
    Nothing,
}

fn look(stored: Option<Stored>, bytes: &[u8]) -> Result<Found, (Reason, String)> {
    match stored {
        None => Ok(Found::Nothing),
        Some(stored) if stored.bytes != bytes => Ok(Found::Others(stored)),
        Some(stored) => match Held::open(stored) {
            Ok(held) => Ok(Found::Ours(Box::new(held))),
            Err(error) => Err((Reason::WriteUnverified, error)),
        },
    }
}

/// Reads back what was written over `before`, until it shows or another writer's snapshot does:
/// stores that only compare before they write can let two writers through.
async fn settled(
    store: &dyn Store,
    bytes: &[u8],
    before: &Expected,
) -> Result<Found, (Reason, String)> {
    let mut found = String::new();
    for pause in PAUSES {
        tokio::time::sleep(pause).await;
        found = match store.read(&Item::Current).await {
            Ok(None) => "it holds nothing".to_owned(),
            Ok(Some(stored)) if *before == Expected::Is(stored.version.clone()) => {
                "it holds what it held before".to_owned()
            }
            Ok(Some(stored)) => match look(Some(stored), bytes)? {
                Found::Others(stored) if Held::open(stored.clone()).is_err() => {
                    format!("it holds {} bytes of something else", stored.bytes.len())
                }
                found => return Ok(found),
            },
            Err(error) => error.to_string(),
        };
    }
    let text = format!("what was written to {} does not read back: {found}", store.describe());
    Err((Reason::WriteUnverified, text))
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
