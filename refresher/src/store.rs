//! Where snapshots are kept: one small trait, one file per store.

mod convex;
mod file;
mod kv;
mod memory;
mod s3;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::snapshot::{digest, hex};

pub use convex::{ConvexSettings, ConvexStore};
pub use file::{FileStore, replace as replace_file};
pub use kv::{CLOUDFLARE, KvSettings, KvStore, MAX_VALUE as KV_MAX_VALUE};
pub use memory::MemoryStore;
pub use s3::{S3Settings, S3Store};

/// Which store, checked and complete.
#[derive(Debug, Clone)]
pub enum Settings {
    File {
        folder: std::path::PathBuf,
        name: String,
    },
    /// Lost when the process ends.
    Memory,
    Kv(KvSettings),
    S3(S3Settings),
    Convex(ConvexSettings),
}

/// Opens a store. Nothing is read or written yet.
///
/// # Errors
/// Settings that the store's client refuses, as text.
pub fn open(settings: &Settings) -> Result<Box<dyn Store>, String> {
    Ok(match settings {
        Settings::File { folder, name } => Box::new(FileStore::new(folder.clone(), name)),
        Settings::Memory => Box::new(MemoryStore::of_this_process()),
        Settings::Kv(settings) => Box::new(KvStore::new(settings.clone())?),
        Settings::S3(settings) => Box::new(S3Store::new(settings.clone())?),
        Settings::Convex(settings) => Box::new(ConvexStore::new(settings.clone())?),
    })
}

/// Names the content a store held when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// What a store held.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    pub bytes: Vec<u8>,
    pub version: Version,
}

impl Stored {
    /// Bytes from a store that knows no versions: their digest is one.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Stored { version: Version::of(&bytes), bytes }
    }
}

impl Version {
    /// The digest of a content, for stores that know no versions.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Version(digest(bytes))
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} bytes, {:?})", self.bytes.len(), self.version)
    }
}

/// What must be in the store for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Absent,
    Is(Version),
    /// Whatever is there.
    Any,
}

impl Expected {
    /// Whether a write may replace what a store holds now, for stores that compare by themselves.
    #[must_use]
    pub fn allows(&self, current: Option<&Version>) -> bool {
        match self {
            Expected::Any => true,
            Expected::Absent => current.is_none(),
            Expected::Is(version) => current == Some(version),
        }
    }
}

/// Why a store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote meanwhile.
    #[error("another writer changed it meanwhile")]
    Conflict,
    /// More bytes than the store takes.
    #[error("{size} bytes are more than the {limit} it takes")]
    TooLarge { size: usize, limit: usize },
    #[error("{0}")]
    Failed(String),
}

/// A store that others hold as well.
#[async_trait]
impl<S: Store> Store for Arc<S> {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        (**self).read(item).await
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        (**self).write(item, bytes, expected).await
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        (**self).remove(item).await
    }

    fn is_conditional(&self) -> bool {
        (**self).is_conditional()
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}

/// One of the things that a store keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Item {
    /// The snapshot that readers read.
    Current,
    /// A version of it, by the 64 hex digits of its definitions' digest. Written once.
    Version(String),
    /// The list of versions, and what went wrong last.
    History,
    /// Who is refreshing now.
    Lease,
    /// The definitions as a plain posthog-node reads them, by the project key.
    NodeCache(String),
    /// What `doctor` writes and removes again.
    Probe,
}

impl Item {
    /// A version by the digest of its definitions.
    #[must_use]
    pub fn version(digest: &str) -> Self {
        Item::Version(hex(digest).to_owned())
    }

    /// Its key in stores that have keys, beside the snapshot's own and never below it: where objects
    /// are copied to files, one cannot be a directory as well. That of posthog-node's cache is the
    /// one PostHog's example for Cloudflare KV uses.
    #[must_use]
    pub fn key(&self, current: &str) -> String {
        match self {
            Item::Current => current.to_owned(),
            Item::Version(digest) => format!("{current}.versions/{digest}"),
            Item::History => format!("{current}.history"),
            Item::Lease => format!("{current}.lease"),
            Item::NodeCache(project_key) => format!("posthog:flags:{project_key}"),
            Item::Probe => format!("{current}.probe"),
        }
    }
}

/// One place for a snapshot and what goes with it.
///
/// A write replaces an item's whole content at once: whoever reads meanwhile, and whatever happens to
/// the writer, finds the old content or the new. `tests/store_contract.rs` says what every store does.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is stored, or `None` when nothing is.
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError>;

    /// Replaces what is stored if it is what the caller expects, else [`StoreError::Conflict`].
    async fn write(&self, item: &Item, bytes: &[u8], expected: &Expected)
    -> Result<(), StoreError>;

    /// Removes what is stored; nothing there is fine.
    async fn remove(&self, item: &Item) -> Result<(), StoreError>;

    /// Whether the store itself compares what is expected, in one step with the write. One that
    /// cannot compares shortly before, and a writer in between is overwritten.
    fn is_conditional(&self) -> bool {
        true
    }

    /// The store for a person to read: its address, never a secret.
    fn describe(&self) -> String;
}
