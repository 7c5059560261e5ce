//! `refresher pin` and `refresher unpin`: whether refreshes may change what is stored.

use serde_json::json;

use super::rollback::{self, replace};
use super::{Page, Trouble, called, invalid, with_each};
use crate::cli::{PinArguments, UnpinArguments};
use crate::clock::Clock;
use crate::outcome::Exit;
use crate::store::Store;

/// Pins the version given, or what is current.
#[must_use]
pub fn run(arguments: &PinArguments, clock: &dyn Clock) -> Exit {
    let wanted = arguments.digest.as_deref();
    with_each(&arguments.common, async |_, store| match wanted {
        Some(_) => rollback::page(store, wanted, clock).await,
        None => page(store, true).await,
    })
}

/// Lets refreshes go on.
#[must_use]
pub fn unpin(arguments: &UnpinArguments) -> Exit {
    with_each(&arguments.common, async |_, store| page(store, false).await)
}

async fn page(store: &dyn Store, pinned: bool) -> Result<Page, Trouble> {
    let replaced = replace(store, |there| match there {
        None => Err(invalid(
            "no good snapshot is stored, so there is none to pin or unpin: `refresher run` stores one"
                .to_owned(),
        )),
        Some(there) if there.header.pinned == pinned => Ok(None),
        Some(there) => there.pinned(pinned).map(Some).map_err(invalid),
    })
    .await?;
    let header = replaced.before.map(|held| held.header);
    let name = header.as_ref().map(called).unwrap_or_default();
    let digest = header.map(|header| header.digest);
    let line = match (pinned, replaced.written) {
        (true, true) => format!("pinned {name}: it stays until `refresher unpin`"),
        (true, false) => format!("{name} is pinned already: it stays until `refresher unpin`"),
        (false, true) => format!("unpinned {name}: the next refresh stores what PostHog has"),
        (false, false) => format!("{name} is not pinned: refreshes go on"),
    };
    let data = json!({ "digest": digest, "written": replaced.written, "pinned": pinned });
    Ok(Page::new(vec![line], data))
}
