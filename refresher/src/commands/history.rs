//! `refresher history`: the versions of a store.

use serde_json::{Value, json};

use super::{NOTHING_STORED, Page, Trouble, current, time, unreadable, with_each};
use crate::cli::HistoryArguments;
use crate::history::{self, Entry, History};
use crate::outcome::Exit;
use crate::report::{count, printable, size};
use crate::snapshot::{Held, hex};
use crate::store::Store;

/// Lists the versions of all stores.
#[must_use]
pub fn run(arguments: &HistoryArguments) -> Exit {
    with_each(&arguments.common, async |_, store| page(store).await)
}

async fn page(store: &dyn Store) -> Result<Page, Trouble> {
    let history = history::read(store).await.map_err(unreadable)?;
    let held = current(store).await?.map(Held::open).transpose();
    let rows = rows(&history, held.as_ref().ok().and_then(Option::as_ref));
    let mut lines = table(&rows);
    match &held {
        Ok(Some(held)) if held.header.pinned => {
            lines.push("pinned: refreshes leave it as it is until `refresher unpin`".to_owned());
        }
        Ok(Some(_)) => {}
        Ok(None) => lines.push(NOTHING_STORED.to_owned()),
        Err(error) => lines.push(format!("what readers read cannot be used: {error}")),
    }
    let versions: Vec<Value> = rows.iter().map(Row::json).collect();
    Ok(Page::new(lines, json!({ "versions": versions })))
}

/// One version, and where it stands.
struct Row {
    entry: Entry,
    current: bool,
    pinned: bool,
    /// It was stored after what is current now.
    rolled_back: bool,
    listed: bool,
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "digest": self.entry.digest,
            "fetchedAt": self.entry.fetched_at,
            "storedAt": self.entry.stored_at,
            "flags": self.entry.flags,
            "bytes": self.entry.bytes,
            "current": self.current,
            "pinned": self.pinned,
            "rolledBack": self.rolled_back,
            "listed": self.listed,
        })
    }

    fn marks(&self) -> &'static str {
        match self {
            Row { current: true, pinned: true, .. } => "current, pinned",
            Row { current: true, listed: false, .. } => "current, not kept",
            Row { current: true, .. } => "current",
            Row { rolled_back: true, .. } => "rolled back",
            _ => "",
        }
    }
}

/// The list, with what is current in front of it should the list not know that.
fn rows(history: &History, held: Option<&Held>) -> Vec<Row> {
    let digest = held.map(|held| held.header.digest.as_str());
    let place = history.versions.iter().position(|known| Some(known.digest.as_str()) == digest);
    let unlisted = held.filter(|_| place.is_none()).map(|held| Row {
        entry: Entry::of(held),
        current: true,
        pinned: held.header.pinned,
        rolled_back: false,
        listed: false,
    });
    let listed = history.versions.iter().enumerate().map(|(n, entry)| Row {
        entry: entry.clone(),
        current: Some(n) == place,
        pinned: Some(n) == place && held.is_some_and(|held| held.header.pinned),
        rolled_back: place.is_some_and(|place| n < place),
        listed: true,
    });
    unlisted.into_iter().chain(listed).collect()
}

/// At most 80 columns wide.
fn table(rows: &[Row]) -> Vec<String> {
    if rows.is_empty() {
        return vec!["no versions are kept".to_owned()];
    }
    let minute = |text: &str| time(text).chars().take(16).collect::<String>();
    let line = |cells: [&str; 6]| {
        let [digest, fetched, stored, flags, bytes, marks] = cells;
        format!("{digest:<12} {fetched:<16} {stored:<16} {flags:>5} {bytes:>8} {marks}")
    };
    let head = line(["digest", "fetched (UTC)", "stored (UTC)", "flags", "size", ""]);
    let mut lines = vec![head];
    lines.extend(rows.iter().map(|row| {
        let entry = &row.entry;
        let digest: String = printable(hex(&entry.digest)).chars().take(12).collect();
        line([
            &digest,
            &minute(&entry.fetched_at),
            &minute(&entry.stored_at),
            &entry.flags.to_string(),
            &size(entry.bytes),
            row.marks(),
        ])
    }));
    lines.push(count(rows.len(), "version"));
    lines
}
