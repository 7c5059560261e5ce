//! `refresher rollback`: an old version becomes what readers read, and stays.

use std::time::Duration;

use serde_json::json;

use super::versions::{before, find};
use super::{Page, Trouble, called, current, invalid, unreadable, with_each};
use crate::cli::RollbackArguments;
use crate::clock::Clock;
use crate::diff::{Diff, diff};
use crate::history::{self, Entry};
use crate::outcome::Exit;
use crate::refresh::{Published, publish};
use crate::report::count;
use crate::snapshot::{Held, short};
use crate::store::{Expected, Item, Store};

/// How often it is tried because other writers were faster.
const ROUNDS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);
/// How long after writing a store without conditional writes is looked at again: a refresh that
/// compared before this write has written over it by then.
const WINDOW: Duration = Duration::from_secs(2);

/// Rolls all stores back.
#[must_use]
pub fn run(arguments: &RollbackArguments, clock: &dyn Clock) -> Exit {
    let wanted = arguments.digest.as_deref();
    with_each(&arguments.common, async |_, store| page(store, wanted, clock).await)
}

/// Makes a version current and pins it: the one that `wanted` begins, or the one before.
pub(super) async fn page(
    store: &dyn Store,
    wanted: Option<&str>,
    clock: &dyn Clock,
) -> Result<Page, Trouble> {
    let history = history::read(store).await.map_err(unreadable)?;
    // One that is damaged can be rolled back, too.
    let held = current(store).await?.and_then(|stored| Held::open(stored).ok());
    let digest = match wanted {
        Some(wanted) => find(&history, held.as_ref(), wanted)?,
        None => before(&history, held.as_ref())?.digest.clone(),
    };
    let version = match held.as_ref().filter(|held| held.header.digest == digest) {
        Some(held) => held.clone(),
        None => history::version(store, &digest).await.map_err(invalid)?,
    };
    let flags = match version.ruleset() {
        Ok(ruleset) => ruleset.len(),
        Err(error) => {
            let text = format!("version {}… cannot be read by this program", short(&digest));
            return Err(invalid(format!("{text}: {error}")));
        }
    };
    let pinned = |held: &Held| held.pinned(true).map_err(invalid);
    let kept = keep(store, &history, held.as_ref(), &version, clock).await;
    let replaced = replace(store, |there| match there {
        Some(there) if there.header.digest == digest && there.header.pinned => Ok(None),
        // With the times of its last check.
        Some(there) if there.header.digest == digest => pinned(there).map(Some),
        _ => pinned(&version).map(Some),
    })
    .await?;
    let was = replaced.before.as_ref().filter(|was| was.header.digest != digest);
    let changes = was.and_then(|was| diff(was.definitions(), version.definitions()).ok());
    let name = called(&version.header);
    let mut lines = vec![match (was, replaced.written) {
        (Some(was), _) => format!(
            "rolled back to {name}, {}; it was {}",
            count(flags, "flag"),
            called(&was.header)
        ),
        (None, true) if held.is_none() => {
            format!("rolled back to {name}, {}", count(flags, "flag"))
        }
        (None, true) => format!("pinned {name}, which was current"),
        (None, false) => format!("{name} is current and pinned already"),
    }];
    lines.extend(changes.iter().flat_map(Diff::lines));
    lines.push("it stays, whatever PostHog has: `refresher unpin` lets refreshes go on".to_owned());
    lines.extend(kept.as_ref().err().map(|error| format!("warning: {error}")));
    let data = json!({
        "digest": digest,
        "from": replaced.before.as_ref().map(|was| &was.header.digest),
        "written": replaced.written,
        "pinned": true,
        "changes": changes,
        "warnings": kept.err().into_iter().collect::<Vec<_>>(),
    });
    Ok(Page::new(lines, data))
}

/// Keeps what is rolled back as a version should no refresh have done so: it can be wanted again.
async fn keep(
    store: &dyn Store,
    history: &history::History,
    held: Option<&Held>,
    version: &Held,
    clock: &dyn Clock,
) -> Result<(), String> {
    let is_listed = |digest: &str| history.versions.iter().any(|known| known.digest == digest);
    let Some(held) = held.filter(|held| !is_listed(&held.header.digest)) else {
        return Ok(());
    };
    let header = &version.header;
    history::keep(store, Some(held), &header.digest, &version.bytes).await?;
    let known = history.versions.iter().find(|known| known.digest == header.digest);
    let entry = known.cloned().unwrap_or_else(|| Entry {
        stored_at: crate::clock::rfc3339(clock.now()),
        ..Entry::of(version)
    });
    history::record(store, Some(held), entry, usize::MAX).await
}

/// What a store held before it was changed.
pub(super) struct Replaced {
    pub(super) before: Option<Held>,
    pub(super) written: bool,
}

/// Replaces what readers read by what `make` gives, and never anything that `make` was not shown. A
/// writer that was faster is looked at, and then replaced, too.
pub(super) async fn replace(
    store: &dyn Store,
    make: impl Fn(Option<&Held>) -> Result<Option<Vec<u8>>, Trouble>,
) -> Result<Replaced, Trouble> {
    let mut written = false;
    let mut first = None;
    for _ in 0..ROUNDS {
        let stored = current(store).await?;
        let expected =
            stored.as_ref().map_or(Expected::Absent, |there| Expected::Is(there.version.clone()));
        let before = stored.and_then(|stored| Held::open(stored).ok());
        let Some(bytes) = make(before.as_ref())? else {
            let before = if written { first } else { before };
            return Ok(Replaced { before, written });
        };
        match publish(store, &bytes, &expected).await {
            Ok(Published::Stored(_)) => {
                written = true;
                first = before;
                if store.is_conditional() || stays(store, &bytes).await? {
                    return Ok(Replaced { before: first, written });
                }
            }
            Ok(Published::Overtaken(_)) => tokio::time::sleep(PAUSE).await,
            Err((reason, text)) => return Err((reason.exit(), text)),
        }
    }
    let text = "other writers were faster again and again: stop the refreshes, and try once more";
    Err((Exit::StoreWrite, text.to_owned()))
}

/// Whether what was written is still there when whoever compared before has written.
async fn stays(store: &dyn Store, bytes: &[u8]) -> Result<bool, Trouble> {
    tokio::time::sleep(WINDOW).await;
    let there = store.read(&Item::Current).await.map_err(unreadable)?;
    Ok(there.is_some_and(|there| there.bytes == bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::clock::{SystemClock, rfc3339};
    use crate::snapshot::{Origin, digest, sealed};
    use crate::store::{MemoryStore, StoreError, Stored};

    /// Another writer comes between what is read and what is written, once.
    struct Raced {
        inner: MemoryStore,
        other: Mutex<Option<Vec<u8>>>,
    }

    #[async_trait]
    impl Store for Raced {
        async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
            self.inner.read(item).await
        }

        async fn write(
            &self,
            item: &Item,
            bytes: &[u8],
            expected: &Expected,
        ) -> Result<(), StoreError> {
            let other = self.other.lock().unwrap().take();
            if let Some(other) = other {
                self.inner.write(&Item::Current, &other, &Expected::Any).await?;
            }
            self.inner.write(item, bytes, expected).await
        }

        async fn remove(&self, item: &Item) -> Result<(), StoreError> {
            self.inner.remove(item).await
        }

        fn describe(&self) -> String {
            "raced".to_owned()
        }
    }

    fn definitions(key: &str) -> Vec<u8> {
        format!("{{\"flags\":[{{\"key\":\"{key}\",\"active\":true,\"filters\":{{}}}}]}}")
            .into_bytes()
    }

    #[tokio::test]
    async fn what_another_writer_stored_meanwhile_is_looked_at_before_it_is_replaced() {
        let store = Raced { inner: MemoryStore::default(), other: Mutex::new(None) };
        let [old, new, newest] = ["old", "new", "newest"].map(definitions);
        let snapshot = |definitions: &[u8]| {
            let at = rfc3339(SystemClock.now());
            let origin = Origin { fetched_at: at.clone(), checked_at: at, ..Origin::default() };
            sealed(definitions, origin).unwrap()
        };
        store.write(&Item::Current, &snapshot(&new), &Expected::Absent).await.unwrap();
        for definitions in [&old, &new] {
            let (bytes, name) = (snapshot(definitions), digest(definitions));
            history::keep(&store, None, &name, &bytes).await.unwrap();
            let entry = Entry::new(&name, "", SystemClock.now(), 1, bytes.len());
            history::record(&store, None, entry, 10).await.unwrap();
        }
        *store.other.lock().unwrap() = Some(snapshot(&newest));
        let page = page(&store, Some(&digest(&old)), &SystemClock).await.unwrap();
        assert_eq!(page.data["from"], digest(&newest));
        assert_eq!(page.data["changes"]["removed"][0]["key"], "newest");
        let there = current(&store).await.unwrap().map(Held::open).unwrap().unwrap();
        assert_eq!((there.header.digest, there.header.pinned), (digest(&old), true));
    }
}
