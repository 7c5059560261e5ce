//! What systemd, or whoever else set `NOTIFY_SOCKET`, is told. Elsewhere all of this does nothing.

use std::sync::Arc;

use super::state::State;

/// Tells systemd how the service is. A service manager that does not listen is no failure of ours.
#[derive(Debug, Default)]
pub(super) struct Manager {
    ready: bool,
}

#[cfg(target_os = "linux")]
impl Manager {
    /// The line that `systemctl status` shows, and that the service is ready if it became so.
    ///
    /// Ready is when every store holds a good snapshot: readers have flags then, also if PostHog
    /// cannot be reached at boot. With nothing stored and no PostHog the service is of no use to
    /// anybody, and units ordered after it wait.
    pub(super) fn refreshed(&mut self, ready: bool, status: &str) {
        use sd_notify::NotifyState::{Ready, Status};
        let status = one_line(status);
        // Also after a reload, which ends by this.
        self.ready |= ready;
        let _ = match self.ready {
            true => sd_notify::notify(&[Ready, Status(&status)]),
            false => sd_notify::notify(&[Status(&status)]),
        };
    }

    /// A refresh on demand, `systemctl reload`, is reported done by [`Manager::refreshed`].
    pub(super) fn reloading(&self) {
        use sd_notify::NotifyState;
        if self.ready
            && let Ok(now) = NotifyState::monotonic_usec_now()
        {
            let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
        }
    }

    pub(super) fn stopping(&self, status: &str) {
        use sd_notify::NotifyState::{Status, Stopping};
        let _ = sd_notify::notify(&[Stopping, Status(&one_line(status))]);
    }
}

/// Feeds systemd's watchdog twice in its time for as long as the loop is alive.
#[cfg(target_os = "linux")]
pub(super) async fn feed_watchdog(state: Arc<State>) {
    let Some(time) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        if state.alive().is_ok() {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        tokio::time::sleep(time / 2).await;
    }
}

/// The protocol ends a value at a line's end.
#[cfg(target_os = "linux")]
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(not(target_os = "linux"))]
impl Manager {
    pub(super) fn refreshed(&mut self, ready: bool, _: &str) {
        self.ready |= ready;
    }

    pub(super) fn reloading(&self) {}

    pub(super) fn stopping(&self, _: &str) {}
}

#[cfg(not(target_os = "linux"))]
pub(super) async fn feed_watchdog(_: Arc<State>) {}
