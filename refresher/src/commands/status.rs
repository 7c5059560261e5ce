//! `refresher status`: what is stored, how it is, and what the schedule costs.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cost::Schedule;
use super::{
    NOTHING_STORED, Page, Trouble, ago, current, invalid, span, unreadable, when, with_each,
};
use crate::cli::StatusArguments;
use crate::clock::Clock;
use crate::history::{self, History, LastError};
use crate::outcome::Exit;
use crate::refresh::undecidable;
use crate::report::{count, printable, size};
use crate::snapshot::{Held, short};
use crate::store::Store;

/// Most flags named in a line.
const NAMED: usize = 5;

/// Says how all stores are.
#[must_use]
pub fn run(arguments: &StatusArguments, clock: &dyn Clock) -> Exit {
    with_each(&arguments.common, async |place, store| {
        page(store, arguments, clock.now(), place == 0).await
    })
}

/// `first`: whether what is asked of PostHog, once for all stores, is told here.
async fn page(
    store: &dyn Store,
    arguments: &StatusArguments,
    now: Timestamp,
    first: bool,
) -> Result<Page, Trouble> {
    let history = history::read(store).await.map_err(unreadable)?;
    let held = current(store).await?.map(Held::open).transpose().map_err(invalid)?;
    let mut page = match &held {
        Some(held) => of_snapshot(held, now),
        None => Page::new(vec![NOTHING_STORED.to_owned()], json!({ "snapshot": null })),
    };
    about_history(&mut page, &history, held.as_ref(), now);
    let why = arguments.max_age.and_then(|longest| too_old(held.as_ref(), longest, now));
    page.data.insert("tooOld".to_owned(), why.is_some().into());
    if let Some(why) = why {
        page.lines.push(format!("too old: {why}"));
        page.exit = if page.exit == Exit::Ok { Exit::TooOld } else { page.exit };
    }
    estimate(&mut page, &store.describe(), arguments, held.as_ref(), first);
    Ok(page)
}

fn line(name: &str, text: &str) -> String {
    format!("{name:<11}{text}")
}

fn of_snapshot(held: &Held, now: Timestamp) -> Page {
    let header = &held.header;
    let ruleset = held.ruleset();
    let (flags, undecided, problems) = match &ruleset {
        Ok(ruleset) => (Some(ruleset.len()), undecidable(ruleset), ruleset.problems()),
        Err(_) => Default::default(),
    };
    let shown = flags.map_or("unknown flags".to_owned(), |flags| count(flags, "flag"));
    let etag = header.etag.as_deref().is_some_and(|etag| !etag.is_empty());
    let named: Vec<_> = undecided
        .iter()
        .take(NAMED)
        .map(|flag| format!("{} ({})", printable(&flag.key), flag.reason))
        .collect();
    let more = if undecided.len() > NAMED { ", …" } else { "" };
    let loads = match &ruleset {
        Ok(_) if undecided.is_empty() => "can load it, and decides every flag".to_owned(),
        Ok(_) => {
            format!("can load it; only PostHog decides {}", count(undecided.len(), "flag"))
        }
        Err(error) => format!("cannot load it: {error}"),
    };
    let mut lines = vec![
        line(
            "snapshot",
            &format!("{}…, {shown}, {}", short(&header.digest), size(held.bytes.len())),
        ),
        line("fetched", &when(&header.fetched_at, now)),
        line("checked", &when(&header.checked_at, now)),
        line(
            "ETag",
            if etag { "yes" } else { "no: every refresh fetches all definitions, and counts" },
        ),
        line("pinned", if header.pinned { "yes, until `refresher unpin`" } else { "no" }),
        line("filter", &header.filter.as_deref().map_or("none".to_owned(), printable)),
        line("evaluator", &loads),
    ];
    if !named.is_empty() {
        lines.push(line("", &format!("{}{more}", named.join(", "))));
    }
    if !problems.is_empty() {
        lines
            .push(line("problems", &format!("{}, `refresher inspect` lists them", problems.len())));
    }
    let mut page = Page::new(
        lines,
        json!({
            "snapshot": {
                "digest": header.digest,
                "flags": flags,
                "bytes": held.bytes.len(),
                "fetchedAt": header.fetched_at,
                "checkedAt": header.checked_at,
                "fetchedAgo": seconds(&header.fetched_at, now),
                "checkedAgo": seconds(&header.checked_at, now),
                "etag": header.etag,
                "pinned": header.pinned,
                "filter": header.filter,
                "loads": ruleset.is_ok(),
                "undecidable": undecided,
                "problems": problems,
            },
        }),
    );
    if ruleset.is_err() {
        page.exit = Exit::Invalid;
    }
    page
}

fn about_history(page: &mut Page, history: &History, held: Option<&Held>, now: Timestamp) {
    page.lines.push(line("versions", &format!("{} kept", history.versions.len())));
    let since = |error: &LastError| {
        let checked = held?.header.checked_at.parse::<Timestamp>().ok()?;
        Some(checked > error.at.parse().ok()?)
    };
    let error = history.last_error.as_ref().map(|error| (error, since(error).unwrap_or(false)));
    if let Some((error, checked)) = error {
        let then = if checked { "; checked since" } else { "; not checked since" };
        let text = printable(&error.message);
        page.lines.push(line(
            "last error",
            &format!("{} ({}){then}", ago(&error.at, now), printable(&error.reason)),
        ));
        page.lines.push(line("", &text));
    }
    page.data.insert("versions".to_owned(), history.versions.len().into());
    let error = error.map(|(error, checked)| {
        json!({ "at": error.at, "status": error.status, "reason": error.reason, "message": error.message, "checkedSince": checked })
    });
    page.data.insert("lastError".to_owned(), error.unwrap_or(Value::Null));
}

/// Why a snapshot is too old, if it is. A pinned one is not: nobody checks it, by a person's wish.
fn too_old(held: Option<&Held>, longest: Duration, now: Timestamp) -> Option<String> {
    let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
    let limit = span(longest.as_secs());
    let Some(held) = held else {
        return Some("nothing is stored".to_owned());
    };
    let Ok(checked) = held.header.checked_at.parse::<Timestamp>() else {
        return Some("it does not say when it was checked".to_owned());
    };
    let old = now.duration_since(checked) > longest && !held.header.pinned;
    old.then(|| format!("checked {}, more than {limit}", ago(&held.header.checked_at, now)))
}

fn seconds(rfc3339: &str, now: Timestamp) -> Option<i64> {
    Some(now.duration_since(rfc3339.parse().ok()?).as_secs())
}

fn estimate(
    page: &mut Page,
    address: &str,
    arguments: &StatusArguments,
    held: Option<&Held>,
    first: bool,
) {
    let schedule = Schedule {
        interval: arguments.interval,
        heartbeat: Some(arguments.heartbeat).filter(|time| !time.is_zero()),
        changes_per_day: arguments.changes_per_day,
        history: arguments.history > 0,
        lease: arguments.lease.is_some(),
        node_cache: arguments.posthog_node_cache,
        etag: held
            .is_none_or(|held| held.header.etag.as_deref().is_some_and(|etag| !etag.is_empty())),
    };
    let upstream = schedule.upstream(held.map_or(0, |held| held.definitions().len()));
    let store = schedule.store(address);
    let interval = match i64::try_from(arguments.interval.as_secs()).unwrap_or(i64::MAX) {
        0 => format!("{:?}", arguments.interval),
        seconds => span(seconds),
    };
    page.lines.push(format!(
        "a month with a run every {interval} and {} a day:",
        count(arguments.changes_per_day as usize, "change")
    ));
    let mut lines = if first { upstream.lines() } else { Vec::new() };
    lines.extend(store.lines());
    page.lines.extend(lines.into_iter().map(|line| format!("  {line}")));
    let warnings = upstream.warnings.iter().filter(|_| first).chain(&store.warnings);
    page.lines.extend(warnings.map(|warning| format!("  warning: {warning}")));
    page.data.insert("estimate".to_owned(), json!({ "upstream": upstream, "store": store }));
}
