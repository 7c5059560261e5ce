//! What a plain posthog-node reads, beside the snapshot.

use super::super::Job;
use super::{Kept, Place};
use crate::node_cache;
use crate::store::{Expected, Item, StoreError};

/// How often the cache is written anew because other writers were faster.
const ROUNDS: u32 = 60;

impl Place<'_> {
    /// Writes what a plain posthog-node reads, if it is not that already.
    pub(super) async fn mirror(&mut self, job: &Job) {
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
}
