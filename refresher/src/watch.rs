//! The daemon: refreshes again and again, one refresh at a time, and tells how it goes.
//!
//! The loop knows nothing of PostHog or stores: it is given a refresh and hears a [`Tick`] from it.

mod arguments;
mod metrics;
mod pace;
mod server;
mod signals;
mod state;
mod systemd;
mod tick;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, info, warn};

pub use arguments::WatchArguments;
pub use pace::{Ended, Pace};
pub use tick::{Held, Holds, StoreTick, Tick};

use crate::clock::{Clock, rfc3339};
use crate::outcome::{Exit, Reason};
use signals::{Asked, Signals};
use state::State;
use systemd::Manager;

/// How a daemon behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    pub pace: Pace,
    /// When told to end, how long a refresh in progress may still take.
    pub grace: Duration,
    pub listen: Option<SocketAddr>,
    /// How old a snapshot may be for `/readyz`.
    pub max_age: Option<Duration>,
    /// A refresh that takes longer hangs: `/healthz` fails, and systemd's watchdog gets no more food.
    pub longest_refresh: Duration,
}

impl WatchArguments {
    /// `longest_refresh` follows from how patient a refresh is.
    #[must_use]
    pub fn settings(&self, longest_refresh: Duration) -> Settings {
        Settings {
            pace: Pace { interval: self.interval, jitter: self.jitter },
            grace: self.grace,
            listen: self.listen,
            max_age: self.max_age,
            longest_refresh,
        }
    }
}

/// Refreshes at once and then at the pace that is set, until the process is told to end.
///
/// `refresh` checks its settings anew each time, so that keys that were put right in their files are
/// used. Its mistakes in the arguments end the daemon if the first refresh finds them; later only
/// files can have changed, and those get put right.
///
/// SIGTERM and SIGINT let a refresh in progress end within [`Settings::grace`]; a second one does
/// not wait. SIGHUP refreshes at once, whatever a server asked for. Cutting a refresh short loses
/// nothing: a store holds the old snapshot or the new one at any moment.
///
/// # Errors
/// What keeps the daemon from running, with the exit code for it.
pub async fn watch(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    mut refresh: impl AsyncFnMut() -> Tick,
) -> Result<(), (Exit, String)> {
    let machine = |error: String| (Exit::Machine, error);
    let mut signals = Signals::new().map_err(|error| machine(error.to_string()))?;
    let mut due = Instant::now();
    // What the loop may be late by before it counts as dead.
    let slack = (settings.pace.interval * 3).max(Duration::from_secs(60));
    let state = Arc::new(State::new(settings.max_age, due + slack));
    if let Some(address) = settings.listen {
        let listener = server::bind(address).await.map_err(machine)?;
        let address = listener.local_addr().unwrap_or(address);
        info!("listening on http://{address}: /healthz, /readyz, /metrics");
        tokio::spawn(server::serve(listener, Arc::clone(&state), Arc::clone(&clock)));
    }
    tokio::spawn(systemd::feed_watchdog(Arc::clone(&state)));
    let mut manager = Manager::default();
    let (mut first, mut failures, mut in_vain) = (true, 0u32, 0u32);
    loop {
        state.progress(due + slack);
        let demanded = tokio::select! {
            asked = signals.next() => Some(asked),
            () = sleep_until(due) => None,
        };
        match demanded {
            Some(Asked::End) => break,
            Some(Asked::RefreshNow) => {
                info!("SIGHUP: refreshing now");
                manager.reloading();
            }
            None => {}
        }
        let (began, asked) = (Instant::now(), clock.now());
        state.progress(began + settings.longest_refresh);
        let (tick, then) = attend(settings, &mut signals, &state, &manager, refresh()).await;
        let Some(tick) = tick else {
            break;
        };
        let (ended, now) = (Instant::now(), clock.now());
        if first && tick.exit == Exit::Usage {
            return Err((tick.exit, tick.message));
        }
        state.refreshed(&tick, asked, now, ended - began);
        let failing = failures;
        failures = if tick.exit == Exit::Ok { 0 } else { failures.saturating_add(1) };
        in_vain = if tick.in_vain() { in_vain.saturating_add(1) } else { 0 };
        first = false;
        if then == Some(Asked::End) {
            log(&tick, failing, failures, ended - began, None);
            break;
        }
        let last = Ended { began, ended, in_vain, retry_after: tick.retry_after };
        due = settings.pace.next(&last, fastrand::f64());
        if then == Some(Asked::RefreshNow) {
            // What it was sent for may have come after PostHog was asked.
            due = ended;
        }
        log(&tick, failing, failures, ended - began, Some(due - ended));
        manager.refreshed(state.holds_all(now), &status_line(&tick, failures, now));
    }
    state.ending();
    manager.stopping("ending");
    info!("told to end: bye");
    Ok(())
}

/// Waits for a refresh to end, and hears signals meanwhile. Gives its result, if it ended, and what
/// was asked meanwhile.
async fn attend(
    settings: &Settings,
    signals: &mut Signals,
    state: &State,
    manager: &Manager,
    refresh: impl Future<Output = Tick>,
) -> (Option<Tick>, Option<Asked>) {
    let mut refresh = std::pin::pin!(refresh);
    let mut then = None;
    loop {
        tokio::select! {
            biased;
            tick = &mut refresh => return (Some(tick), then),
            asked = signals.next() => match asked {
                Asked::RefreshNow => then = Some(asked),
                Asked::End => break,
            },
        }
    }
    state.ending();
    manager.stopping("ending when the refresh in progress has");
    info!("told to end: finishing the refresh in progress, for {:?} at most", settings.grace);
    let until = Instant::now() + settings.grace;
    loop {
        tokio::select! {
            biased;
            tick = timeout_at(until, &mut refresh) => {
                if tick.is_err() {
                    warn!("the refresh in progress is cut short, its time is over");
                }
                return (tick.ok(), Some(Asked::End));
            }
            asked = signals.next() => if asked == Asked::End {
                warn!("told to end again: the refresh in progress is cut short");
                return (None, Some(Asked::End));
            },
        }
    }
}

/// One line for a refresh: what changed and what failed always, what stayed as it was with `-v`.
fn log(tick: &Tick, failing: u32, failures: u32, took: Duration, pause: Option<Duration>) {
    let status = tick.status.as_str();
    let reason = tick.reason.map(Reason::name);
    let attempts = tick.attempts;
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let next_s = pause.map(|pause| pause.as_secs());
    let message = &tick.message;
    if failures > 0 {
        warn!(status, reason, attempts, failures, took_ms, next_s, "{message}");
        for store in tick.stores.iter().filter(|store| !store.current && tick.stores.len() > 1) {
            warn!(store = store.name, "{}", store.message);
        }
    } else if failing > 0 {
        info!(status, reason, attempts, took_ms, next_s, "after {failing} failures: {message}");
    } else if tick.stores.iter().any(|store| store.written) {
        info!(status, reason, attempts, took_ms, next_s, "{message}");
    } else {
        debug!(status, reason, attempts, took_ms, next_s, "{message}");
    }
}

/// The line that `systemctl status` shows.
fn status_line(tick: &Tick, failures: u32, now: Timestamp) -> String {
    let (status, now) = (tick.status.as_str(), rfc3339(now));
    match failures {
        0 => format!("{status} at {now}: {}", tick.message),
        1 => format!("failed at {now}: {}", tick.message),
        n => format!("failed {n} times, last at {now}: {}", tick.message),
    }
}
