//! `refresher watch`: refreshes of [`crate::refresh`] in the loop of [`crate::watch`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::cli::WatchCommand;
use crate::clock::SystemClock;
use crate::config;
use crate::outcome::Exit;
use crate::refresh::{self, Job};
use crate::report::Report;
use crate::snapshot::Held;
use crate::store::{Item, Store};
use crate::watch::{self, Holds, StoreTick, Tick};

/// Shortest time after which a refresh counts as hanging.
const HANGING: Duration = Duration::from_secs(600);

/// Refreshes until told to end.
///
/// # Errors
/// What keeps it from running, with the exit code for it.
pub fn run(arguments: &WatchCommand) -> Result<(), (Exit, String)> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| (Exit::Machine, error.to_string()))?;
    let patience = &arguments.refresh.patience;
    // One request in its worst case; a refresh makes some for each store as well.
    let request = (patience.timeout + patience.max_retry_delay) * (u32::from(patience.retries) + 1);
    let settings = arguments.watch.settings((request * 10).max(HANGING));
    let mut counted = HashMap::new();
    let refresh = async || {
        // Everything is checked anew: keys in files get replaced.
        match config::job(&arguments.refresh, false, &config::environment) {
            Ok(job) => {
                let report = refresh::run(&job, &SystemClock).await;
                tick(&report, &job, &mut counted).await
            }
            Err(error) => told(&Report::usage(&error), Vec::new()),
        }
    };
    let result = runtime.block_on(watch::watch(&settings, Arc::new(SystemClock), refresh));
    // Whatever was cut short must not hold the end up.
    runtime.shutdown_background();
    result
}

/// What a refresh comes to for the daemon. `counted` has the number of flags by digest.
async fn tick(report: &Report, job: &Job, counted: &mut HashMap<String, usize>) -> Tick {
    let mut stores: Vec<_> = report.stores.iter().map(StoreTick::from).collect();
    let mut known = HashMap::new();
    for (seen, store) in stores.iter_mut().zip(&job.stores) {
        if let Holds::Snapshot(held) = &mut seen.holds {
            let digest = &held.digest;
            let counts = [&known, &*counted];
            held.flags =
                held.flags.or_else(|| counts.iter().find_map(|of| of.get(digest)).copied());
            if held.flags.is_none() {
                held.flags = count(store.as_ref(), digest).await;
            }
            known.extend(held.flags.map(|flags| (held.digest.clone(), flags)));
        }
    }
    *counted = known;
    told(report, stores)
}

fn told(report: &Report, stores: Vec<StoreTick>) -> Tick {
    Tick {
        status: report.status,
        reason: report.reason,
        exit: report.exit,
        message: report.message.clone(),
        attempts: report.attempts,
        retry_after: report.retry_after,
        stores,
    }
}

/// Counts the flags that a store holds, if it still holds these.
async fn count(store: &dyn Store, digest: &str) -> Option<usize> {
    let held = Held::open(store.read(&Item::Current).await.ok()??).ok()?;
    let ruleset = held.ruleset().ok().filter(|_| held.header.digest == digest)?;
    Some(ruleset.len())
}
