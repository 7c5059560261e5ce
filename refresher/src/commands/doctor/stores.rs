//! Stores: what they hold, and whether they do what is asked of them.

use futures_util::future::join_all;

use super::Check;
use crate::clock::{Clock, rfc3339};
use crate::commands::ago;
use crate::outcome::Exit;
use crate::report::{count, size};
use crate::snapshot::Held;
use crate::store::{self, Expected, Item, Settings, Store, StoreError, Stored};

/// Bytes that a disk must have room for beside the largest snapshot there is.
const ROOM: usize = 64 << 10;

pub(super) async fn checks(
    settings: Result<Vec<Result<Settings, String>>, String>,
    clock: &dyn Clock,
) -> Vec<Check> {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return vec![Check::bad(Exit::Usage, "store", error)],
    };
    let found = settings.into_iter().map(async |settings| {
        let opened = settings.and_then(|settings| Ok((store::open(&settings)?, settings)));
        match opened {
            Ok((store, settings)) => of_store(store.as_ref(), &settings, clock).await,
            Err(error) => vec![Check::bad(Exit::Usage, "store", error)],
        }
    });
    join_all(found).await.into_iter().flatten().collect()
}

async fn of_store(store: &dyn Store, settings: &Settings, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = vec![Check::good("store", store.describe())];
    if let Settings::Memory = settings {
        checks.push(Check::warning("store", "what is in memory is gone when the program ends"));
    }
    let mut bytes = 0;
    match store.read(&Item::Current).await {
        Err(error) => {
            checks.push(Check::bad(Exit::StoreRead, "readable", with_fix(&error, settings)));
        }
        Ok(None) => checks.push(Check::good("readable", "nothing is stored yet")),
        Ok(Some(stored)) => {
            bytes = stored.bytes.len();
            checks.extend(of_stored(stored, clock));
        }
    }
    if let (Settings::Kv(_), 1..) = (settings, bytes) {
        checks.push(room(bytes));
    }
    checks.extend(probe(store, settings, bytes, clock).await);
    checks
}

fn of_stored(stored: Stored, clock: &dyn Clock) -> Vec<Check> {
    let held = match Held::open(stored) {
        Ok(held) => held,
        Err(error) => {
            let text = format!("{error}: the next refresh replaces it");
            return vec![Check::bad(Exit::Invalid, "snapshot", text)];
        }
    };
    let mut checks = vec![snapshot(&held, clock)];
    if held.header.pinned {
        checks.push(Check::warning(
            "pinned",
            "refreshes leave it as it is: `refresher unpin` lets them go on",
        ));
    }
    checks
}

fn snapshot(held: &Held, clock: &dyn Clock) -> Check {
    match held.ruleset() {
        Ok(ruleset) => Check::good(
            "snapshot",
            format!(
                "{}, {}, checked {}, and the evaluator can load it",
                count(ruleset.len(), "flag"),
                size(held.bytes.len()),
                ago(&held.header.checked_at, clock.now())
            ),
        ),
        Err(error) => Check::bad(
            Exit::Invalid,
            "snapshot",
            format!(
                "the evaluator of this version cannot load it: {error}: `refresher rollback`, or upgrade"
            ),
        ),
    }
}

fn room(bytes: usize) -> Check {
    let text = format!("{} of the 25 MiB that workers kv takes", size(bytes));
    match bytes > store::KV_MAX_VALUE / 5 * 4 {
        true => Check::warning(
            "size",
            format!("{text}: remove flags, or store less by --only-tags or --drop-names"),
        ),
        false => Check::good("size", text),
    }
}

/// Writes, reads back, writes where nothing may be, and removes again.
async fn probe(
    store: &dyn Store,
    settings: &Settings,
    bytes: usize,
    clock: &dyn Clock,
) -> Vec<Check> {
    // As much as the next snapshot, where it costs nothing: a disk that is full shows.
    let room = if let Settings::File { .. } = settings { bytes + ROOM } else { 0 };
    let mut content =
        format!("refresher doctor {} {}\n", rfc3339(clock.now()), std::process::id()).into_bytes();
    content.resize(content.len() + room, b'.');
    if let Err(error) = store.write(&Item::Probe, &content, &Expected::Any).await {
        return vec![Check::bad(Exit::StoreWrite, "writable", with_fix(&error, settings))];
    }
    let mut checks = vec![match store.read(&Item::Probe).await {
        Ok(Some(stored)) if stored.bytes == content => {
            Check::good("writable", "what is written reads back")
        }
        Ok(_) => Check::bad(
            Exit::StoreWrite,
            "writable",
            "what was written does not read back: check that nothing caches between this machine and the store",
        ),
        Err(error) => Check::bad(Exit::StoreRead, "writable", error.to_string()),
    }];
    checks.push(conditions(store, &content).await);
    if let Err(error) = store.remove(&Item::Probe).await {
        let text = format!(
            "{error}: refreshes cannot remove old versions, which does no other harm; let them delete"
        );
        checks.push(Check::warning("removable", text));
    }
    checks
}

/// With the probe there, a write that expects nothing must fail.
async fn conditions(store: &dyn Store, content: &[u8]) -> Check {
    let about = "conditional";
    if !store.is_conditional() {
        return Check::warning(
            about,
            "this store compares nothing by itself: two refreshers within the same second or so can overwrite \
             each other, and the next run puts that right; run one, or give --lease",
        );
    }
    match store.write(&Item::Probe, content, &Expected::Absent).await {
        Err(StoreError::Conflict) => {
            Check::good(about, "a write over what was not expected is refused")
        }
        Ok(()) => Check::bad(
            Exit::StoreWrite,
            about,
            "a write over what was not expected went through: this store ignores If-None-Match; take another, or \
             run one refresher at a time",
        ),
        Err(error) => Check::bad(Exit::StoreWrite, about, error.to_string()),
    }
}

fn with_fix(error: &StoreError, settings: &Settings) -> String {
    let text = error.to_string();
    let fix = match settings {
        Settings::File { .. } if text.contains("No space left") => ": the disk is full, make room",
        Settings::File { .. } if text.contains("ermission denied") => {
            ": let the user who runs the refresher read and write there"
        }
        Settings::File { .. } if text.contains("Read-only") => ": mount it for writing",
        Settings::File { .. } => ": check the path",
        Settings::S3(_) if !text.contains("check the credentials") => {
            ": check the endpoint, and that the credentials may get and put objects"
        }
        _ => "",
    };
    format!("{text}{fix}")
}
