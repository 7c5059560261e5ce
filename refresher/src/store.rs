//! Where snapshots are kept: one small trait, one file per store.

mod file;
mod kv;
mod s3;

use std::fmt;

use async_trait::async_trait;

pub use file::{FileStore, replace as replace_file};
pub use kv::{CLOUDFLARE, KvSettings, KvStore};
pub use s3::{S3Settings, S3Store};

/// Which store, checked and complete.
#[derive(Debug, Clone)]
pub enum Settings {
    File { path: std::path::PathBuf },
    Kv(KvSettings),
    S3(S3Settings),
}

/// Opens a store. Nothing is read or written yet.
///
/// # Errors
/// Settings that the store's client refuses, as text.
pub fn open(settings: &Settings) -> Result<Box<dyn Store>, String> {
    Ok(match settings {
        Settings::File { path } => Box::new(FileStore::new(path.clone())),
        Settings::Kv(settings) => Box::new(KvStore::new(settings.clone())?),
        Settings::S3(settings) => Box::new(S3Store::new(settings.clone())?),
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

/// One place for one snapshot.
///
/// A write replaces the whole content at once: whoever reads meanwhile, and whatever happens to the
/// writer, finds the old content or the new. `tests/store_contract.rs` says what every store does.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is stored, or `None` when nothing is.
    async fn read(&self) -> Result<Option<Stored>, StoreError>;

    /// Replaces what is stored if it is what the caller expects, else [`StoreError::Conflict`].
    async fn write(&self, bytes: &[u8], expected: &Expected) -> Result<(), StoreError>;

    /// The store for a person to read: its address, never a secret.
    fn describe(&self) -> String;
}
