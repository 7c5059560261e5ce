//! A file on this machine.

use std::ffi::OsString;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;

use super::{Expected, Item, Store, StoreError, Stored, Version};

/// How long another writer's lock is waited for, in steps of [`PAUSE`].
const PATIENCE: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(20);

/// Keeps each item in a file of its own; directories are made when they are missing.
///
/// Writers exclude each other by a lock on a hidden file beside the snapshot, which the system releases
/// whatever becomes of its holder. Readers need no lock: a file is replaced by a rename.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    name: String,
}

impl FileStore {
    /// `folder/name.snapshot`, and what goes with it in `folder/name/`.
    #[must_use]
    pub fn new(folder: PathBuf, name: &str) -> Self {
        FileStore { folder, name: name.to_owned() }
    }

    /// Where an item is kept.
    #[must_use]
    pub fn path(&self, item: &Item) -> PathBuf {
        let name = &self.name;
        self.folder.join(match item {
            Item::Current => format!("{name}.snapshot"),
            Item::Version(digest) => format!("{name}/versions/{digest}.snapshot"),
            Item::History => format!("{name}/history.json"),
            Item::Lease => format!("{name}/lease.json"),
            Item::Probe => format!("{name}/probe"),
            // Without colons, which not every system takes in a file's name.
            Item::NodeCache(project_key) => format!("posthog-flags-{project_key}.json"),
        })
    }

    /// Excludes other writers of this store until it is dropped.
    async fn lock(&self) -> Result<File, StoreError> {
        let path = self.path(&Item::Current);
        let (folder, name) = parts(&path);
        fs::create_dir_all(folder)
            .map_err(|error| failed("make the directory of", &path, &error))?;
        let fail = |error| failed("lock", &path, &error);
        let lock = File::create(folder.join(hidden(&name, ".lock"))).map_err(fail)?;
        for _ in 0..PATIENCE {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(fail(error)),
            }
        }
        Err(StoreError::Failed(format!(
            "another writer has held the lock of {} for {} s",
            path.display(),
            (PAUSE * PATIENCE).as_secs()
        )))
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(format!("cannot {what} {}: {error}", path.display()))
}

fn current(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

#[async_trait]
impl Store for FileStore {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        Ok(current(&self.path(item))?.map(Stored::of))
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        let path = self.path(item);
        let _lock = self.lock().await?;
        let (folder, _) = parts(&path);
        fs::create_dir_all(folder)
            .map_err(|error| failed("make the directory of", &path, &error))?;
        let current = match expected {
            Expected::Any => None,
            _ => current(&path)?.map(|bytes| Version::of(&bytes)),
        };
        if !expected.allows(current.as_ref()) {
            return Err(StoreError::Conflict);
        }
        sweep(item, &path);
        replace(&path, bytes).map_err(|error| failed("write", &path, &error))
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        let path = self.path(item);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }

    fn describe(&self) -> String {
        format!("file:{}", self.path(&Item::Current).display())
    }
}

/// Replaces a file whole or not at all, also when the machine loses power.
///
/// # Errors
/// Whatever the file system refuses; the old file is still there then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, name) = parts(path);
    let mut builder = tempfile::Builder::new();
    let prefix = hidden(&name, ".");
    builder.prefix(&prefix).suffix(".tmp");
    if let Some(permissions) = readable_by_all() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename itself lasts only once the directory is on disk. Not every system can sync one.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes what killed writers left. Only to be called with the lock held.
fn sweep(item: &Item, path: &Path) {
    let (folder, name) = parts(path);
    // Versions have a directory of their own, and one may never be written again.
    let all = matches!(item, Item::Version(_));
    let prefix = if all { OsString::from(".") } else { hidden(&name, ".") };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let random = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix.to_str()?)?.strip_suffix(".tmp"));
        // Without a dot, or it could belong to a file whose name only begins like this one's.
        if random.is_some_and(|random| all || !random.contains('.')) {
            // Left-overs take space and do no other harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn parts(path: &Path) -> (&Path, OsString) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    (folder.unwrap_or(Path::new(".")), path.file_name().unwrap_or_default().to_owned())
}

fn hidden(name: &OsString, suffix: &str) -> OsString {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(suffix);
    hidden
}

/// A snapshot holds no secret, and the program that serves it may run as somebody else.
fn readable_by_all() -> Option<Permissions> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(Permissions::from_mode(0o644))
    }
    #[cfg(not(unix))]
    None
}
