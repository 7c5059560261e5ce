//! A lease: one refresher at a time, for stores without conditional writes or to spare requests.
//!
//! It is a courtesy on top of what keeps a store right without it: whoever finds it taken does nothing,
//! and one that outlived its holder is taken over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::clock::{Clock, rfc3339};
use crate::store::{Expected, Item, Store, StoreError};

/// How long after writing a store without conditional writes is read back: others that saw the lease
/// free at the same moment have written by then, and the last of them has it.
const SETTLE: Duration = Duration::from_millis(700);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// Differs from run to run.
    owner: String,
    /// RFC 3339, by the holder's clock.
    expires_at: String,
}

/// Takes the lease for a time, or says until when another has it.
///
/// # Errors
/// The store cannot be read or written.
pub async fn acquire(
    store: &dyn Store,
    time: Duration,
    clock: &dyn Clock,
) -> Result<Result<Lease, String>, StoreError> {
    let now = clock.now();
    let there = store.read(&Item::Lease).await?;
    let current = there.as_ref().and_then(|there| read(&there.bytes));
    if let Some(current) = current.filter(|current| current.runs(now, time)) {
        return Ok(Err(current.expires_at));
    }
    let expires_at = now
        .checked_add(SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX);
    let lease = Lease {
        owner: format!("{}-{:016x}", std::process::id(), fastrand::u64(..)),
        expires_at: rfc3339(expires_at),
    };
    let bytes = serde_json::to_vec(&lease).map_err(|e| StoreError::Failed(e.to_string()))?;
    let expected = there.map_or(Expected::Absent, |there| Expected::Is(there.version));
    let written = store.write(&Item::Lease, &bytes, &expected).await;
    if !store.is_conditional() {
        tokio::time::sleep(SETTLE).await;
    }
    let there = store.read(&Item::Lease).await?;
    match (there.and_then(|there| read(&there.bytes)), written) {
        // Whatever the store said of the write: one that lost only its answer would keep others out.
        (Some(held), _) if held == lease => Ok(Ok(lease)),
        (_, Err(error @ (StoreError::Failed(_) | StoreError::TooLarge { .. }))) => Err(error),
        (held, _) => Ok(Err(held.map_or_else(|| rfc3339(now), |held| held.expires_at))),
    }
}

impl Lease {
    /// Whether it still holds. One that would run longer than a lease can was written by a clock
    /// that is ahead.
    fn runs(&self, now: Timestamp, longest: Duration) -> bool {
        let Ok(expires_at) = self.expires_at.parse::<Timestamp>() else {
            return false;
        };
        let left = expires_at.duration_since(now);
        left.is_positive()
            && left
                <= SignedDuration::try_from(longest)
                    .unwrap_or(SignedDuration::MAX)
                    .saturating_mul(2)
    }

    /// Gives it back. If that fails it ends by itself.
    pub async fn release(self, store: &dyn Store) {
        match store.read(&Item::Lease).await {
            Ok(Some(there)) if read(&there.bytes).as_ref() == Some(&self) => {
                if let Err(error) = store.remove(&Item::Lease).await {
                    debug!("the lease is not given back: {error}");
                }
            }
            _ => debug!("the lease was taken over"),
        }
    }
}

fn read(bytes: &[u8]) -> Option<Lease> {
    serde_json::from_slice(bytes).ok()
}
