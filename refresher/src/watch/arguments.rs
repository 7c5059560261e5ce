//! The options of `watch`, as typed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use crate::cli::options::{duration, some_duration};

/// When to refresh, and whom to tell how it goes.
#[derive(Debug, Clone, Args)]
pub struct WatchArguments {
    /// Time from one refresh to the next. It grows while every store fails, to ten times this, but
    /// not beyond 10m; a longer Retry-After is waited for, up to 1h.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval, help_heading = "Schedule")]
    pub interval: Duration,

    /// How much longer or shorter than that each time may be, at random, so that many refreshers do
    /// not ask at the same moment.
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = jitter, help_heading = "Schedule")]
    pub jitter: f64,

    /// When told to end (SIGTERM, SIGINT), how long a refresh in progress may still take.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = "Schedule")]
    pub grace: Duration,

    /// Serve /healthz, /readyz and /metrics (Prometheus) here, such as 127.0.0.1:9464. A port alone
    /// is this machine's only; 0.0.0.0:9464 is for everybody who can reach it [default: off].
    #[arg(long, value_name = "ADDRESS", value_parser = address, help_heading = "Health")]
    pub listen: Option<SocketAddr>,

    /// /readyz fails when PostHog confirmed what a store holds longer ago than this [default: any
    /// age is ready].
    #[arg(long, value_name = "TIME", value_parser = some_duration, help_heading = "Health")]
    pub max_age: Option<Duration>,
}

/// At least a second: a slip such as `60ms` would keep PostHog busy.
fn interval(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time < Duration::from_secs(1) {
        return Err("must be 1s or more".to_owned());
    }
    Ok(time)
}

/// `10%` as 0.1.
fn jitter(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').unwrap_or(text).trim();
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=50.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("give 0% to 50%".to_owned()),
    }
}

/// `127.0.0.1:9464`, `[::1]:9464`, or `:9464` and `9464` for this machine alone.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    text.parse().map_err(|_| "give an address with a port, such as 127.0.0.1:9464".to_owned())
}
