//! `refresher pin` and `refresher unpin`: whether refreshes may change what is stored.

use futures_util::future::join_all;
use serde_json::json;

use super::rollback::{self, replace};
use super::{Page, Pages, Trouble, time, with_stores};
use crate::cli::{PinArguments, UnpinArguments};
use crate::clock::Clock;
use crate::outcome::Exit;
use crate::snapshot::{Held, short};
use crate::store::Store;

/// Pins the version given, or what is current.
#[must_use]
pub fn run(arguments: &PinArguments, clock: &dyn Clock) -> Exit {
    let wanted = arguments.digest.as_deref();
    with_stores(&arguments.common, async |stores| -> Pages {
        join_all(stores.iter().map(async |store| {
            let store = store.as_ref();
            let page = match wanted {
                Some(_) => rollback::page(store, wanted, clock).await,
                None => page(store, true).await,
            };
            (store.describe(), page)
        }))
        .await
    })
}

/// Lets refreshes go on.
#[must_use]
pub fn unpin(arguments: &UnpinArguments) -> Exit {
    with_stores(&arguments.common, async |stores| -> Pages {
        join_all(
            stores.iter().map(async |store| (store.describe(), page(store.as_ref(), false).await)),
        )
        .await
    })
}

async fn page(store: &dyn Store, pinned: bool) -> Result<Page, Trouble> {
    let invalid = |error: String| (Exit::Invalid, error);
    let replaced = replace(store, |there| match there {
        None => Err(invalid(
            "no good snapshot is stored, so there is none to pin or unpin: `refresher run` stores one"
                .to_owned(),
        )),
        Some(there) if there.header.pinned == pinned => Ok(None),
        Some(there) => there.pinned(pinned).map(Some).map_err(invalid),
    })
    .await?;
    let digest = replaced.before.map(|held: Held| {
        (
            held.header.digest.clone(),
            format!("{}… of {}", short(&held.header.digest), time(&held.header.fetched_at)),
        )
    });
    let (digest, name) = digest.unwrap_or_default();
    let line = match (pinned, replaced.written) {
        (true, true) => format!("pinned {name}: it stays until `refresher unpin`"),
        (true, false) => format!("{name} is pinned already: it stays until `refresher unpin`"),
        (false, true) => format!("unpinned {name}: the next refresh stores what PostHog has"),
        (false, false) => format!("{name} is not pinned: refreshes go on"),
    };
    let data = json!({ "digest": digest, "written": replaced.written, "pinned": pinned });
    Ok(Page::new(vec![line], data))
}
