//! `refresher diff`: what differs between the store and PostHog, or between two versions or files.

use std::path::Path;

use futures_util::future::join_all;
use serde_json::json;

use super::inspect::{is_file, stored};
use super::{Page, Pages, Trouble, called, failed, invalid, show, with_each, with_stores};
use crate::cli::DiffArguments;
use crate::clock::Clock;
use crate::compile::{name, read};
use crate::config;
use crate::diff::diff;
use crate::filter::Filter;
use crate::outcome::{Exit, Reason};
use crate::snapshot::{self, Held, short};
use crate::store::Store;
use crate::upstream::Upstream;
use flagpost_engine::snapshot::is_snapshot;

/// Compares on all stores, or two files.
#[must_use]
pub fn run(arguments: &DiffArguments, clock: &dyn Clock) -> Exit {
    let (common, codes) = (&arguments.common, arguments.exit_code);
    match [&arguments.before, &arguments.after].map(|side| Given::of(side.as_deref())) {
        [Given::File(before, was), Given::File(after, is)] => {
            let page = was.and_then(|was| page_of(&was, &is?, codes));
            show(&vec![(format!("{before} and {after}"), page)], common.json)
        }
        [Given::Stored(None), Given::Stored(None)] => {
            let upstream = config::upstream(
                &common.stores,
                &arguments.upstream,
                &common.patience,
                &config::environment,
            );
            match upstream {
                Ok(upstream) => with_stores(common, async |stores| {
                    with_upstream(stores, &upstream, codes, clock).await
                }),
                Err(error) => failed(Exit::Usage, &error, common.json),
            }
        }
        [before, after] => with_each(common, async |_, store| {
            page_of(&before.side(store).await?, &after.side(store).await?, codes)
        }),
    }
}

/// One side of a comparison, as it was given.
enum Given<'a> {
    /// A file by its name. Read once, since it can be standard input.
    File(&'a str, Result<Side, Trouble>),
    /// The version of each store that this begins, or what each store holds now.
    Stored(Option<&'a str>),
}

impl<'a> Given<'a> {
    fn of(argument: Option<&'a str>) -> Self {
        match argument {
            Some(path) if is_file(Path::new(path)) => Given::File(path, file(path)),
            digest => Given::Stored(digest),
        }
    }

    async fn side(&self, store: &dyn Store) -> Result<Side, Trouble> {
        match self {
            Given::File(_, side) => side.clone(),
            Given::Stored(digest) => Ok(Side::of(&stored(store, *digest).await?)),
        }
    }
}

/// Definitions, and what to call them.
#[derive(Clone)]
struct Side {
    name: String,
    definitions: Vec<u8>,
}

impl Side {
    fn of(held: &Held) -> Side {
        Side { name: called(&held.header), definitions: held.definitions().to_vec() }
    }
}

/// A snapshot, or definitions as JSON.
fn file(path: &str) -> Result<Side, Trouble> {
    let path = Path::new(path);
    let bytes = read(path)?;
    if !is_snapshot(&bytes) {
        return Ok(Side { name: name(path), definitions: bytes });
    }
    let held =
        Held::from_bytes(bytes).map_err(|error| invalid(format!("{}: {error}", name(path))))?;
    let side = Side::of(&held);
    Ok(Side { name: format!("{} ({})", name(path), side.name), ..side })
}

/// Asks PostHog once, and compares what every store holds with that.
async fn with_upstream(
    stores: &[Box<dyn Store>],
    upstream: &Upstream,
    codes: bool,
    clock: &dyn Clock,
) -> Pages {
    let held = join_all(stores.iter().map(|store| stored(store.as_ref(), None))).await;
    let body = match held.iter().any(Result::is_ok) {
        // Whole: a filter may have made what is stored smaller than what its etag names.
        true => match upstream.definitions(clock).await {
            Ok((body, _)) => Ok(body),
            Err(fault) => Err((Reason::from(&fault).exit(), fault.to_string())),
        },
        false => Err((Exit::StoreRead, "posthog was not asked".to_owned())),
    };
    let page = |held: Result<Held, Trouble>| {
        let (held, body) = (held?, body.clone()?);
        let definitions = filtered(&held, body)?;
        let name = format!("posthog now ({}…)", short(&snapshot::digest(&definitions)));
        page_of(&Side::of(&held), &Side { name, definitions }, codes)
    };
    stores.iter().map(|store| store.describe()).zip(held.into_iter().map(page)).collect()
}

/// What came, less what was left out of what is stored.
fn filtered(held: &Held, body: Vec<u8>) -> Result<Vec<u8>, Trouble> {
    let Some(text) = &held.header.filter else {
        return Ok(body);
    };
    let filter = Filter::from_canonical(text).ok_or_else(|| {
        invalid("what is stored went through a filter that this version does not know".to_owned())
    })?;
    filter.apply(&body).map_err(invalid)
}

fn page_of(before: &Side, after: &Side, codes: bool) -> Result<Page, Trouble> {
    let diff = diff(&before.definitions, &after.definitions).map_err(|error| {
        invalid(format!("{} and {} cannot be compared: {error}", before.name, after.name))
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
