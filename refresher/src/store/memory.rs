//! The process's own memory, for trials and tests.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Expected, Item, Store, StoreError, Stored, Version};

/// Keeps everything until the process ends.
#[derive(Debug, Default)]
pub struct MemoryStore {
    items: Items,
}

type Items = Arc<Mutex<HashMap<Item, Vec<u8>>>>;

impl MemoryStore {
    /// The one that every `memory:` of this process means: a daemon opens its stores anew for each
    /// refresh.
    #[must_use]
    pub fn of_this_process() -> Self {
        static ITEMS: LazyLock<Items> = LazyLock::new(Arc::default);
        MemoryStore { items: ITEMS.clone() }
    }

    /// A map of whole values is never left half changed, so a panic elsewhere does not spoil it.
    fn items(&self) -> MutexGuard<'_, HashMap<Item, Vec<u8>>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        let bytes = self.items().get(item).cloned();
        Ok(bytes.map(Stored::of))
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        let mut items = self.items();
        let current = items.get(item).map(|bytes| Version::of(bytes));
        if !expected.allows(current.as_ref()) {
            return Err(StoreError::Conflict);
        }
        items.insert(item.clone(), bytes.to_vec());
        Ok(())
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        self.items().remove(item);
        Ok(())
    }

    fn describe(&self) -> String {
        "memory:".to_owned()
    }
}
