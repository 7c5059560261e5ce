//! A PostHog whose definitions are ever newer, and that answers wrongly in every way when told to.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;

use super::random::Random;
use super::web::{Answer, Asked, Flow, serve};

/// What it answered as valid.
#[derive(Clone, Debug)]
pub struct Served {
    /// Counts up from 1: a higher one is newer.
    pub number: usize,
    pub etag: String,
}

pub struct State {
    random: Random,
    number: usize,
    /// Whether flags say by a `version` how new they are.
    versioned: bool,
    /// Whether it misbehaves.
    pub faulty: bool,
    /// By digest.
    pub served: HashMap<String, Served>,
    /// By what is wrong.
    pub faults: HashMap<&'static str, usize>,
}

pub struct Stage {
    pub host: String,
    state: Arc<Mutex<State>>,
}

impl Stage {
    pub async fn start(seed: u64, versioned: bool) -> Stage {
        let state = Arc::new(Mutex::new(State {
            random: Random::new(seed),
            number: 0,
            versioned,
            faulty: false,
            served: HashMap::new(),
            faults: HashMap::new(),
        }));
        let mine = state.clone();
        let host = serve(move |asked| {
            let plan = mine.lock().unwrap().plan(&asked);
            async move {
                tokio::time::sleep(plan.1).await;
                plan.0
            }
        })
        .await;
        Stage { host, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many answers were wrong so far.
    pub fn faults(&self) -> usize {
        self.state().faults.values().sum()
    }
}

/// Wrong answers; `older` is there only if flags have versions to tell it by.
const FAULTS: [&str; 27] = [
    "400",
    "401",
    "402",
    "403",
    "404",
    "204",
    "429",
    "429 now",
    "429 long",
    "500",
    "502",
    "503",
    "cold",
    "redirect",
    "304",
    "no json",
    "truncated",
    "wrong shape",
    "empty",
    "few",
    "large",
    "bomb",
    "cut",
    "trickle",
    "slow",
    "no answer",
    "older",
];

impl State {
    fn plan(&mut self, asked: &Asked) -> (Option<Answer>, Duration) {
        let soon = Duration::from_millis(self.random.below(8));
        if self.faulty && self.random.percent(55) {
            let fault = self.random.pick(&FAULTS[..FAULTS.len() - usize::from(!self.versioned)]);
            *self.faults.entry(fault).or_default() += 1;
            let slow = if fault == "slow" { Duration::from_secs(5) } else { soon };
            return (self.wrong(fault), slow);
        }
        (Some(self.good(asked)), soon)
    }

    fn good(&mut self, asked: &Asked) -> Answer {
        if !self.faulty || self.number == 0 || self.random.percent(70) {
            self.number += 1;
        }
        let current = etag(self.number);
        if asked.header("if-none-match") == Some(&current) {
            return Answer::new(304, "").header("ETag", &current);
        }
        let body = numbered(self.number, self.versioned);
        let digest = refresher::snapshot::digest(body.as_bytes());
        self.served.insert(digest, Served { number: self.number, etag: current.clone() });
        Answer::new(200, body).header("ETag", &current)
    }

    fn wrong(&mut self, fault: &'static str) -> Option<Answer> {
        // With an etag of its own: if it were ever stored, the next 304 would hide that.
        let ok = |body: Bytes| Answer::new(200, body).header("ETag", "\"wrong\"");
        let status = |status| Answer::new(status, "{\"detail\":\"no\"}");
        let next = numbered(self.number + 1, self.versioned);
        Some(match fault {
            "429" => status(429),
            "429 now" => status(429).header("Retry-After", "0"),
            "429 long" => status(429).header("Retry-After", "3600"),
            "cold" => Answer::new(503, "{\"detail\":\"Required data not found in cache.\"}"),
            "redirect" => status(302).header("Location", "http://127.0.0.1:1/flags/definitions"),
            "304" => Answer::new(304, ""),
            "204" => Answer::new(204, ""),
            "no json" => ok("<html>maintenance</html>".into()),
            "truncated" => ok(next[..next.len() * 2 / 3].to_owned().into()),
            "wrong shape" => ok("{\"flags\":{\"a\":1}}".into()),
            "empty" => ok("{\"flags\":[]}".into()),
            "few" => ok(super::definitions(2).into()),
            "large" => ok(format!("{{\"flags\":[],\"x\":\"{}\"}}", "x".repeat(3 << 20)).into()),
            "bomb" => ok(BOMB.clone()).header("Content-Encoding", "gzip"),
            "cut" => ok(next.into()).flow(Flow::Cut),
            "trickle" => ok(next.into()).flow(Flow::Trickle),
            "slow" => ok(next.into()),
            "no answer" => return None,
            "older" => {
                let older = self.number.saturating_sub(3).max(1);
                let body = numbered(older, true);
                Answer::new(200, body).header("ETag", &etag(older))
            }
            number => status(number.parse().unwrap()),
        })
    }
}

fn etag(number: usize) -> String {
    format!("\"number-{number}\"")
}

/// Definitions that differ from those of any other number.
pub fn numbered(number: usize, versioned: bool) -> String {
    let version = if versioned { format!("\"version\":{number},") } else { String::new() };
    super::definitions(40)
        .replace("{\"id\"", &format!("{{{version}\"id\""))
        .replace("\"cohorts\"", &format!("\"number\":{number},\"cohorts\""))
        .replace("\"rollout_percentage\":100", &format!("\"rollout_percentage\":{}", number % 100))
}

/// A few KB that unpack to 3 MB of valid JSON.
pub static BOMB: LazyLock<Bytes> = LazyLock::new(|| {
    let body = format!("{{\"flags\":[],\"x\":\"{}\"}}", " ".repeat(3 << 20));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(body.as_bytes()).unwrap();
    gzip.finish().unwrap().into()
});
