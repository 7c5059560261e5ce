//! PostHog, from its name to its answers.

use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::DATE;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::{Check, Mark};
use crate::clock::Clock;
use crate::config::Parts;
use crate::http::{self, NetworkFault};
use crate::outcome::{Exit, Reason};
use crate::refresh::undecidable;
use crate::report::{count, size};
use crate::retry::Patience;
use crate::snapshot::{digest, ruleset};
use crate::upstream::{Fault, Reply, Settings, Upstream};

/// More than this between two clocks matters for ages and Retry-After.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// More than this and S3 refuses every request.
const S3_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// Longer for one answer is worth a word.
const SLOW: Duration = Duration::from_secs(5);

pub(super) async fn checks(parts: &Parts, clock: &dyn Clock) -> Vec<Check> {
    let Ok(host) = &parts.host else {
        return Vec::new();
    };
    let mut checks = Vec::new();
    if !through_proxy(host) {
        checks.extend(way(host, parts.timeouts.connect).await);
    }
    // What comes next on a way that is closed would say the same again.
    if checks.iter().any(|check| check.mark == Mark::Bad) {
        return checks;
    }
    match reach(host, parts, clock).await {
        Ok(reached) => checks.extend(reached),
        Err(unreached) => {
            checks.push(unreached);
            return checks;
        }
    }
    if let (Ok(project_key), Ok(personal_key)) = (&parts.project_key, &parts.personal_key) {
        let settings = Settings {
            host: host.clone(),
            project_key: project_key.clone(),
            personal_key: personal_key.clone(),
            patience: Patience { retries: 0, ..parts.patience },
            timeouts: parts.timeouts,
            max_size: parts.max_size,
        };
        match Upstream::new(settings) {
            Ok(upstream) => checks.extend(ask(&upstream, clock).await),
            Err(error) => checks.push(Check::bad(Exit::Machine, "tls", error)),
        }
    }
    checks
}

/// Whether requests to an address go elsewhere first: names and connections are the proxy's then.
fn through_proxy(host: &str) -> bool {
    let is_local = Url::parse(host).is_ok_and(|url| http::is_loopback(&url));
    !is_local && !super::proxies().is_empty()
}

/// Name and connection.
async fn way(host: &str, patience: Duration) -> Vec<Check> {
    let Some((name, port)) = Url::parse(host).ok().and_then(|url| {
        let name = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some((name, url.port_or_known_default()?))
    }) else {
        return Vec::new();
    };
    let addresses = match timeout(patience, lookup_host((name.as_str(), port))).await {
        Ok(Ok(addresses)) => addresses.collect::<Vec<_>>(),
        Ok(Err(error)) => {
            let text =
                format!("{name}: {error}: check the host's name, and this machine's resolver");
            return vec![Check::bad(Exit::Network, "dns", text)];
        }
        Err(_) => {
            let text = format!("{name}: no answer in {patience:?}: check this machine's resolver");
            return vec![Check::bad(Exit::Network, "dns", text)];
        }
    };
    let found = match addresses.len() {
        1 => "1 address".to_owned(),
        several => format!("{several} addresses"),
    };
    let dns = Check::good("dns", format!("{name} has {found}"));
    let start = Instant::now();
    let tcp = match timeout(patience, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_)) => {
            Check::good("tcp", format!("port {port} answers, {} ms", start.elapsed().as_millis()))
        }
        Ok(Err(error)) => Check::bad(
            Exit::Network,
            "tcp",
            format!(
                "port {port}: {error}: check the host's address, and that a firewall lets this machine out"
            ),
        ),
        Err(_) => Check::bad(
            Exit::Network,
            "tcp",
            format!(
                "port {port}: no answer in {patience:?}: check that a firewall lets this machine out"
            ),
        ),
    };
    vec![dns, tcp]
}

/// TLS, and the time it is there. Without a key: whoever answers is not known yet.
async fn reach(host: &str, parts: &Parts, clock: &dyn Clock) -> Result<Vec<Check>, Check> {
    let about = if host.starts_with("https:") { "tls" } else { "http" };
    let client = http::client(host, parts.timeouts)
        .map_err(|error| Check::bad(Exit::Machine, about, error))?;
    let (start, before) = (Instant::now(), clock.now());
    let response = match client.head(host).send().await {
        Ok(response) => response,
        Err(error) => {
            let fault = NetworkFault::from(error);
            let text = fault.to_string();
            let fix = match text.contains("tls:") {
                true => {
                    "check the machine's clock and its CA certificates, and whether a proxy breaks TLS open"
                }
                false => "check the network, and the proxy if there is one",
            };
            return Err(Check::bad(Exit::Network, about, format!("{text}: {fix}")));
        }
    };
    let took = start.elapsed();
    let text = format!("answers, {} ms", took.as_millis());
    let mut checks = vec![match took > SLOW {
        true => Check::warning(about, format!("{text}: that is slow")),
        false => Check::good(about, text),
    }];
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    checks.extend(date.map(|date| clocks(date, before, took)));
    Ok(checks)
}

/// Their clock, which tells whole seconds, beside ours in the middle of the request.
fn clocks(theirs: SystemTime, before: Timestamp, took: Duration) -> Check {
    let (Ok(theirs), Ok(half)) = (Timestamp::try_from(theirs), SignedDuration::try_from(took / 2))
    else {
        return Check::warning("clock", "the answer's date is out of range");
    };
    let skew = (before + half).duration_since(theirs);
    let seconds = skew.as_secs();
    let which = if seconds > 0 { "ahead of" } else { "behind" };
    let text = format!("{} s {which} posthog's", seconds.abs());
    match skew.abs() {
        skew if skew > S3_SKEW => Check::bad(
            Exit::Machine,
            "clock",
            format!(
                "{text}: S3 refuses requests beyond 15 minutes, TLS may fail, and ages are wrong: set it by NTP"
            ),
        ),
        skew if skew > SKEW => Check::warning(
            "clock",
            format!("{text}: ages and Retry-After are wrong by that: set it by NTP"),
        ),
        _ => Check::good("clock", "agrees with posthog's"),
    }
}

/// Asks for definitions, and then whether they are current.
async fn ask(upstream: &Upstream, clock: &dyn Clock) -> Vec<Check> {
    let start = Instant::now();
    let (body, etag) = match upstream.definitions(clock).await {
        Ok(found) => found,
        Err(fault) => {
            let text = format!("{fault}{}", fix(&fault));
            return vec![Check::bad(Reason::from(&fault).exit(), "definitions", text)];
        }
    };
    let took = start.elapsed().as_millis();
    let mut checks = vec![match ruleset(&body) {
        Ok(ruleset) => {
            let flags = count(ruleset.len(), "flag");
            let text = format!("{flags}, {}, {took} ms", size(body.len()));
            match (undecidable(&ruleset).len(), ruleset.is_empty()) {
                (_, true) => Check::warning(
                    "definitions",
                    format!("{text}: check that the keys are those of the right project"),
                ),
                (0, _) => Check::good("definitions", text),
                (undecided, _) => Check::good(
                    "definitions",
                    format!("{text}, {undecided} only PostHog can decide"),
                ),
            }
        }
        Err(error) => Check::bad(
            Exit::Invalid,
            "definitions",
            format!("200, but not definitions: {error}: check that the host is posthog's"),
        ),
    }];
    checks.push(match etag.filter(|etag| !etag.is_empty()) {
        None => Check::warning(
            "etag",
            "none: every refresh fetches and counts all definitions; a proxy may remove it, or this posthog is an old one",
        ),
        Some(etag) => again(upstream, &etag, &body, clock).await,
    });
    checks
}

async fn again(upstream: &Upstream, etag: &str, body: &[u8], clock: &dyn Clock) -> Check {
    match upstream.fetch(Some(etag), clock).await.result {
        Ok((Reply::NotModified { .. }, _)) => {
            Check::good("etag", "honoured: the second answer was a 304")
        }
        Ok((Reply::Definitions { body: now, .. }, _)) if digest(&now) != digest(body) => {
            Check::warning("etag", "the definitions changed meanwhile: run doctor again")
        }
        Ok((Reply::Definitions { .. }, _)) => Check::bad(
            Exit::Upstream,
            "etag",
            "not honoured, the second answer was a 200: every refresh counts; check what is between this machine and posthog",
        ),
        Err(fault) => {
            Check::bad(Reason::from(&fault).exit(), "etag", format!("{fault}{}", fix(&fault)))
        }
    }
}

/// What can be done where the fault does not say so itself.
fn fix(fault: &Fault) -> &'static str {
    match fault {
        Fault::RateLimited { .. } => {
            ": wait, and ask less often: raise --interval, and look for others that ask with this project's keys"
        }
        Fault::ColdCache { .. } => ": make a flag, or wait some minutes",
        Fault::Server { .. } => ": try again later, and see https://status.posthog.com",
        Fault::Unexpected { status: 304, .. } => {
            ", and no condition was sent: a cache is in between, pass it by"
        }
        Fault::Unexpected { .. } => ": check that the host is posthog's",
        _ => "",
    }
}
