//! `refresher inspect`: what a snapshot holds, as `git show` tells of a commit.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use flagpost_engine::snapshot::Snapshot;
use serde_json::{Value, json};

use super::versions::{find, prefix};
use super::{
    NOTHING_STORED, Page, Trouble, current, failed, invalid, show, unreadable, when, with_each,
    with_stores,
};
use crate::cli::InspectArguments;
use crate::clock::Clock;
use crate::compile::{name, read};
use crate::diff::diff;
use crate::history;
use crate::outcome::Exit;
use crate::refresh::undecidable;
use crate::report::{count, printable, size};
use crate::snapshot::Held;
use crate::store::Store;

/// Definitions without a flag: everything is new beside them.
const NOTHING: &[u8] = br#"{"flags":[]}"#;
/// Widest column of flags' keys.
const WIDEST: usize = 32;

/// Shows a file, a version, or what is stored.
#[must_use]
pub fn run(arguments: &InspectArguments, clock: &dyn Clock) -> Exit {
    let given = arguments.snapshot.as_deref();
    let print = |held: &Held| page(held, clock);
    if let Some(path) = given.map(Path::new).filter(|path| is_file(path)) {
        let held = read(path).and_then(|bytes| Held::from_bytes(bytes).map_err(invalid));
        return match (held, arguments.definitions) {
            (Ok(held), true) => definitions(&held),
            (held, _) => {
                show(&vec![(name(path), held.map(|held| print(&held)))], arguments.common.json)
            }
        };
    }
    if arguments.definitions {
        return one(arguments);
    }
    with_each(&arguments.common, async |_, store| Ok(print(&stored(store, given).await?)))
}

/// Whether an argument is a file and not a version's digest.
pub(super) fn is_file(path: &Path) -> bool {
    path == Path::new("-")
        || path.exists()
        || path.to_str().is_none_or(|text| prefix(text).is_none())
}

/// The definitions of the only store.
fn one(arguments: &InspectArguments) -> Exit {
    let mut exit = Exit::Ok;
    let shown = with_stores(&arguments.common, async |stores| {
        let [store] = stores else {
            return vec![(
                "--definitions".to_owned(),
                Err((
                    Exit::Usage,
                    "several stores have several definitions: give one --store".to_owned(),
                )),
            )];
        };
        match stored(store.as_ref(), arguments.snapshot.as_deref()).await {
            Ok(held) => {
                exit = definitions(&held);
                Vec::new()
            }
            Err(trouble) => vec![(store.describe(), Err(trouble))],
        }
    });
    if shown == Exit::Ok { exit } else { shown }
}

/// Prints the definitions byte for byte.
fn definitions(held: &Held) -> Exit {
    let mut out = std::io::stdout().lock();
    match out.write_all(held.definitions()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            failed(Exit::Machine, &format!("cannot write to stdout: {error}"), false)
        }
        _ => Exit::Ok,
    }
}

/// What a store holds: now, or as a version.
pub(super) async fn stored(store: &dyn Store, wanted: Option<&str>) -> Result<Held, Trouble> {
    let there = current(store).await?;
    let Some(wanted) = wanted else {
        let there = there.ok_or_else(|| invalid(NOTHING_STORED.to_owned()))?;
        return Held::open(there).map_err(invalid);
    };
    let held = there.and_then(|there| Held::open(there).ok());
    let history = history::read(store).await.map_err(unreadable)?;
    let digest = find(&history, held.as_ref(), wanted)?;
    match held {
        Some(held) if held.header.digest == digest => Ok(held),
        _ => history::version(store, &digest).await.map_err(invalid),
    }
}

fn page(held: &Held, clock: &dyn Clock) -> Page {
    let header = &held.header;
    let now = clock.now();
    let sections: Vec<(String, usize)> = Snapshot::open(&held.bytes)
        .map(|snapshot| {
            let tag = |tag: [u8; 4]| printable(&String::from_utf8_lossy(&tag));
            snapshot.sections().map(|(name, length)| (tag(name), length)).collect()
        })
        .unwrap_or_default();
    let upstream = header.upstream.as_ref();
    let mut lines = vec![
        format!("snapshot  {}", printable(&header.digest)),
        format!("fetched   {}", when(&header.fetched_at, now)),
        format!("checked   {}", when(&header.checked_at, now)),
        format!("ETag      {}", header.etag.as_deref().map_or("none".to_owned(), printable)),
        format!(
            "from      {}",
            upstream.map_or("a file".to_owned(), |from| {
                format!("{}, project {}", printable(&from.host), printable(&from.project))
            })
        ),
        format!("by        {}, format {}", printable(&header.generator), header.format),
    ];
    lines.extend(header.pinned.then(|| "pinned    yes, until `refresher unpin`".to_owned()));
    lines.extend(header.filter.as_ref().map(|filter| format!("filter    {}", printable(filter))));
    let parts: Vec<_> =
        sections.iter().map(|(tag, length)| format!("{tag} {}", size(*length))).collect();
    lines.push(format!("sections  {}", parts.join(", ")));
    let (flags, problems, exit) = match held.ruleset() {
        Ok(ruleset) => {
            let undecided: HashMap<String, &str> =
                undecidable(&ruleset).into_iter().map(|flag| (flag.key, flag.reason)).collect();
            (flags(held.definitions(), &undecided), ruleset.problems().to_vec(), Exit::Ok)
        }
        Err(error) => {
            (Vec::new(), vec![format!("the evaluator cannot load it: {error}")], Exit::Invalid)
        }
    };
    lines.extend([String::new(), count(flags.len(), "flag")]);
    let width = flags.iter().map(|flag| flag.key.chars().count()).max().unwrap_or(0).min(WIDEST);
    lines.extend(flags.iter().map(|flag| {
        let why = flag.undecidable.map(|reason| format!("  [only PostHog decides: {reason}]"));
        let (key, summary) = (printable(&flag.key), printable(&flag.summary));
        let mark = if flag.active { '●' } else { '○' };
        format!("{mark} {key:<width$}  {summary}{}", why.unwrap_or_default())
    }));
    if !problems.is_empty() {
        lines.extend([String::new(), count(problems.len(), "problem")]);
        lines.extend(problems.iter().map(|problem| format!("! {}", printable(problem))));
    }
    let flags: Vec<Value> = flags
        .iter()
        .map(|flag| json!({ "key": flag.key, "active": flag.active, "summary": flag.summary, "undecidable": flag.undecidable }))
        .collect();
    let sections: Vec<Value> =
        sections.iter().map(|(tag, bytes)| json!({ "tag": tag, "bytes": bytes })).collect();
    let data = json!({ "header": header, "bytes": held.bytes.len(), "sections": sections, "flags": flags, "problems": problems });
    Page { exit, ..Page::new(lines, data) }
}

struct Flag<'a> {
    key: String,
    active: bool,
    summary: String,
    undecidable: Option<&'a str>,
}

/// One row for each flag: all of them are new beside definitions without flags.
fn flags<'a>(definitions: &[u8], undecided: &HashMap<String, &'a str>) -> Vec<Flag<'a>> {
    let added = diff(NOTHING, definitions).map(|diff| diff.added).unwrap_or_default();
    added
        .into_iter()
        .map(|flag| {
            let key = flag.key.unwrap_or_else(|| "(a flag without a key)".to_owned());
            // The mark in front of the row says it.
            let summary = flag.summary.strip_prefix("off; ").unwrap_or(&flag.summary);
            Flag {
                undecidable: undecided.get(&key).copied(),
                active: flag.active,
                summary: summary.to_owned(),
                key,
            }
        })
        .collect()
}
