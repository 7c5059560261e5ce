//! `refresher diff`: what differs between the store and PostHog, or between two versions or files.

use std::path::Path;

use futures_util::future::join_all;
use serde_json::json;

use super::inspect::{is_file, stored};
use super::{Page, Pages, Trouble, failed, show, time, with_stores};
use crate::cli::DiffArguments;
use crate::clock::Clock;
use crate::compile::{name, read};
use crate::config;
use crate::diff::diff;
use crate::filter::Filter;
use crate::outcome::{Exit, Reason};
use crate::snapshot::{self, Held, short};
use crate::store::{Store, Stored, Version};
use crate::upstream::{Reply, Upstream};
use flagpost_engine::snapshot::is_snapshot;

/// Compares on all stores, or two files.
#[must_use]
pub fn run(arguments: &DiffArguments, clock: &dyn Clock) -> Exit {
    let common = &arguments.common;
    let sides = [&arguments.before, &arguments.after].map(Option::as_deref);
    if let [Some(before), Some(after)] = sides
        && is_file(Path::new(before))
        && is_file(Path::new(after))
    {
        let page = file(before).and_then(|before| Ok((before, file(after)?)));
        let page = page.and_then(|(before, after)| page_of(&before, &after, arguments.exit_code));
        return show(&vec![(format!("{before} and {after}"), page)], common.json);
    }
    if sides == [None, None] {
        let upstream = config::upstream(
            &common.stores,
            &arguments.upstream,
            &common.patience,
            &config::environment,
        );
        let upstream = match upstream {
            Ok(upstream) => upstream,
            Err(error) => return failed(Exit::Usage, &error, common.json),
        };
        return with_stores(common, async |stores| {
            with_upstream(stores, &upstream, arguments, clock).await
        });
    }
    with_stores(common, async |stores| -> Pages {
        join_all(stores.iter().map(async |store| {
            let page = between(store.as_ref(), sides, arguments.exit_code).await;
            (store.describe(), page)
        }))
        .await
    })
}

/// Definitions, and what to call them.
struct Side {
    name: String,
    definitions: Vec<u8>,
}

impl Side {
    fn of(held: &Held) -> Side {
        let header = &held.header;
        Side {
            name: format!("{}… of {}", short(&header.digest), time(&header.fetched_at)),
            definitions: held.definitions().to_vec(),
        }
    }
}

async fn between(
    store: &dyn Store,
    sides: [Option<&str>; 2],
    codes: bool,
) -> Result<Page, Trouble> {
    let mut found = Vec::new();
    for side in sides {
        found.push(match side {
            Some(text) if is_file(Path::new(text)) => file(text)?,
            wanted => Side::of(&stored(store, wanted).await?),
        });
    }
    match found.as_slice() {
        [before, after] => page_of(before, after, codes),
        _ => Err((Exit::Usage, "give two sides at most".to_owned())),
    }
}

/// A snapshot, or definitions as JSON.
fn file(path: &str) -> Result<Side, Trouble> {
    let path = Path::new(path);
    let bytes = read(path)?;
    if !is_snapshot(&bytes) {
        return Ok(Side { name: name(path), definitions: bytes });
    }
    let held = Held::open(Stored { bytes, version: Version(String::new()) });
    let held = held.map_err(|error| (Exit::Invalid, format!("{}: {error}", name(path))))?;
    Ok(Side {
        name: format!("{} ({})", name(path), Side::of(&held).name),
        definitions: held.definitions().to_vec(),
    })
}

/// Asks PostHog once, and compares what every store holds with that.
async fn with_upstream(
    stores: &[Box<dyn Store>],
    upstream: &Upstream,
    arguments: &DiffArguments,
    clock: &dyn Clock,
) -> Pages {
    let held = join_all(stores.iter().map(|store| stored(store.as_ref(), None))).await;
    let answer = match held.iter().any(Result::is_ok) {
        // Without an etag: a filter may have made what is stored smaller than what it names.
        true => upstream
            .fetch(None, clock)
            .await
            .result
            .map_err(|fault| (Reason::from(&fault).exit(), fault.to_string())),
        false => Err((Exit::StoreRead, "posthog was not asked".to_owned())),
    };
    let body = match answer {
        Ok((Reply::Definitions { body, .. }, _)) => Ok(body),
        Ok((Reply::NotModified { .. }, _)) => {
            let text = "posthog answered 304 although it was asked without a condition";
            Err((Exit::Upstream, text.to_owned()))
        }
        Err(trouble) => Err(trouble),
    };
    let page = |held: Result<Held, Trouble>| {
        let (held, body) = (held?, body.clone()?);
        let definitions = filtered(&held, body)?;
        let name = format!("posthog now ({}…)", short(&snapshot::digest(&definitions)));
        page_of(&Side::of(&held), &Side { name, definitions }, arguments.exit_code)
    };
    stores.iter().map(|store| store.describe()).zip(held.into_iter().map(page)).collect()
}

/// What came, less what was left out of what is stored.
fn filtered(held: &Held, body: Vec<u8>) -> Result<Vec<u8>, Trouble> {
    let Some(text) = &held.header.filter else {
        return Ok(body);
    };
    let filter = Filter::from_canonical(text).ok_or_else(|| {
        (
            Exit::Invalid,
            "what is stored went through a filter that this version does not know".to_owned(),
        )
    })?;
    filter.apply(&body).map_err(|error| (Exit::Invalid, error))
}

fn page_of(before: &Side, after: &Side, codes: bool) -> Result<Page, Trouble> {
    let diff = diff(&before.definitions, &after.definitions).map_err(|error| {
        (Exit::Invalid, format!("{} and {} cannot be compared: {error}", before.name, after.name))
    })?;
    let mut lines = vec![format!("{} -> {}", before.name, after.name)];
    let equal = before.definitions == after.definitions;
    lines.push(match (diff.is_empty(), equal) {
        (true, true) => "no changes".to_owned(),
        (true, false) => "no changes but in the order or the spelling of the JSON".to_owned(),
        _ => diff.headline(),
    });
    lines.extend(diff.lines());
    let differs = !diff.is_empty();
    let data =
        json!({ "before": before.name, "after": after.name, "differs": differs, "changes": diff });
    let exit = if differs && codes { Exit::Differs } else { Exit::Ok };
    Ok(Page { exit, ..Page::new(lines, data) })
}
