//! The policy table, tests/policy/answers.json: what every answer of PostHog's, and every way of not
//! answering, makes of a store that holds nothing, a fresh snapshot or an old one, by default and as
//! posthog-node and @posthog/convex do it.
//!
//! PARITY: `_loadFeatureFlags` (posthog-node 5.70.0) clears at 402 and keeps everything otherwise;
//! `refreshFlagDefinitions` (@posthog/convex 2.1.5) clears at 402 too, and at a cold cache if nothing is
//! stored or what is stored is older than five minutes. DIFFERENCE: @posthog/convex counts from when the
//! definitions last changed, since its 304 renews nothing; here from when they were last confirmed.

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use refresher::clock::{SystemClock, rfc3339};
use refresher::outcome::{Exit, Outcome, Reason, Status};
use refresher::refresh::{self, Job, OnQuota, Policy};
use refresher::report::Report;
use refresher::retry::Patience;
use refresher::snapshot::{Origin, sealed};
use refresher::store::{FileStore, Store};
use serde::Deserialize;
use serde_json::Value;
use support::stage::BOMB;
use support::web::{Answer, Flow, serve};
use support::{Folder, definitions, upstream};

const CLEARED: &str = r#"{"flags":[],"group_type_mapping":{},"cohorts":{}}"#;
const TABLE: &str = include_str!("../../tests/policy/answers.json");

#[derive(Deserialize)]
struct Table {
    /// How many seconds ago what is stored was checked.
    before: BTreeMap<String, Option<i64>>,
    policies: BTreeMap<String, Value>,
    rows: Vec<Row>,
}

fn policy(chosen: &Value) -> Policy {
    let on_quota = if chosen["onQuota"] == "clear" { OnQuota::Clear } else { OnQuota::Keep };
    let clear_cold_after = chosen["clearColdAfter"].as_u64().map(Duration::from_secs);
    Policy { on_quota, clear_cold_after, ..Policy::default() }
}

/// What is stored afterwards.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum After {
    /// What was there, byte for byte; nothing if that was nothing.
    Same,
    /// The definitions that came.
    New,
    /// No flags.
    Cleared,
}

/// One way of answering, and what it makes of a store.
#[derive(Deserialize)]
struct Row {
    name: String,
    answer: Sent,
    status: String,
    reason: Option<String>,
    attempts: u32,
    /// What the message holds.
    says: String,
    #[serde(default)]
    unless: Vec<Unless>,
}

#[derive(Deserialize)]
struct Unless {
    before: Option<Vec<String>>,
    like: Option<Vec<String>>,
    status: String,
    reason: Option<String>,
    after: Option<After>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    packed: bool,
    /// Seconds from now.
    retry_after_date: Option<u64>,
    flow: Option<String>,
    at: Option<String>,
}

impl Sent {
    fn body(&self) -> String {
        match (&self.body, self.body["definitions"].as_u64(), self.body["blanks"].as_u64()) {
            (Value::String(text), ..) => text.clone(),
            (_, Some(flags), _) => {
                let whole = definitions(flags as usize);
                let first = self.body["first"].as_u64().map_or(whole.len(), |first| first as usize);
                whole[..first].to_owned()
            }
            (_, _, Some(blanks)) => {
                format!("{{\"flags\":[],\"x\":\"{}\"}}", " ".repeat(blanks as usize))
            }
            _ => String::new(),
        }
    }

    fn answer(&self) -> Option<Answer> {
        let mut answer = match self.packed {
            true => Answer::new(self.status?, BOMB.clone()).header("Content-Encoding", "gzip"),
            false => Answer::new(self.status?, self.body()),
        };
        for (name, value) in &self.headers {
            answer = answer.header(name, value);
        }
        if let Some(seconds) = self.retry_after_date {
            let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds));
            answer = answer.header("Retry-After", &date);
        }
        Some(match self.flow.as_deref() {
            Some("trickle") => answer.flow(Flow::Trickle),
            Some("cut") => answer.flow(Flow::Cut),
            _ => answer,
        })
    }
}

/// An address where TLS is spoken with a certificate that nobody vouches for.
async fn self_signed() -> String {
    refresher::http::choose_tls();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // That the client refuses it is what is wanted.
            let _ = acceptor.accept(socket).await;
        }
    });
    address
}

impl Row {
    /// Status, reason and what is stored afterwards.
    fn expected(&self, before: &str, like: &str) -> (&str, Option<&str>, After) {
        let fits = |names: &Option<Vec<String>>, name: &str| {
            names.as_ref().is_none_or(|names| names.iter().any(|it| it == name))
        };
        let unless = self.unless.iter().find(|it| fits(&it.before, before) && fits(&it.like, like));
        if let Some(Unless { status, reason, after, .. }) = unless {
            return (status, reason.as_deref(), after.unwrap_or(After::Same));
        }
        let after = match self.status.as_str() {
            "updated" | "empty" => After::New,
            _ => After::Same,
        };
        (&self.status, self.reason.as_deref(), after)
    }

    async fn holds(&self, (before, age): (&str, Option<i64>), (like, policy): (&str, Policy)) {
        let about = format!("{}, {before}, {like}", self.name);
        let conditions = Arc::<Mutex<Vec<Option<String>>>>::default();
        let host = match self.answer.at.as_deref() {
            Some("self-signed") => self_signed().await,
            Some(host) => host.to_owned(),
            None => {
                let (sent, seen) = (self.answer.clone(), conditions.clone());
                serve(move |asked| {
                    seen.lock().unwrap().push(asked.header("if-none-match").map(str::to_owned));
                    let sent = sent.clone();
                    async move {
                        if sent.flow.as_deref() == Some("hang") {
                            tokio::time::sleep(Duration::from_secs(20)).await;
                        }
                        sent.answer()
                    }
                })
                .await
            }
        };
        let folder = Folder::new();
        let slow = self.name.starts_with("slow");
        let timeout = Duration::from_millis(if slow { 500 } else { 30_000 });
        let job = job(&host, &folder, policy, timeout);
        let stored = age.map(|age| {
            let at = rfc3339(Timestamp::now() - SignedDuration::from_secs(age));
            let origin = Origin {
                upstream: Some(job.upstream.identity().clone()),
                etag: Some("\"stored\"".to_owned()),
                fetched_at: at.clone(),
                checked_at: at,
                filter: None,
            };
            let bytes = sealed(definitions(2).as_bytes(), origin).unwrap();
            std::fs::File::create(folder.path()).unwrap().write_all(&bytes).unwrap();
            bytes
        });

        let report: Report = refresh::run(&job, &SystemClock).await;
        let outcome: &Outcome = &report.stores[0];
        let (status, reason, after) = self.expected(before, like);
        let found = outcome.reason.map(Reason::name);
        let told = (outcome.status.as_str(), found.as_deref());
        assert_eq!(told, (status, reason), "{about}: {outcome:?}");
        let exit = outcome.reason.map_or(Exit::Ok, Reason::exit);
        assert_eq!((outcome.exit(), report.exit), (exit, exit), "{about}");
        assert_eq!(outcome.written, after != After::Same, "{about}");
        if after == After::Same && status == self.status {
            assert!(outcome.message.contains(&self.says), "{about}: {outcome:?}");
        }
        let expected_attempts = if reason == self.reason.as_deref() { self.attempts } else { 1 };
        assert_eq!(report.attempts, expected_attempts, "{about}: {outcome:?}");

        // An etag only with a snapshot that holds what it names.
        let etag = stored.as_ref().map(|_| "\"stored\"".to_owned());
        let conditions = conditions.lock().unwrap();
        assert!(conditions.iter().all(|condition| *condition == etag), "{about}: {conditions:?}");
        let asked = self.answer.at.is_none();
        assert_eq!(conditions.len() as u32, if asked { report.attempts } else { 0 }, "{about}");

        let now = std::fs::read(folder.path()).ok();
        match after {
            After::Same => assert!(now == stored, "{about}: what is stored changed"),
            After::New => {
                let (header, stored) = folder.open();
                let new = (self.answer.body(), Some("\"new\""));
                assert_eq!((stored, header.etag.as_deref()), new, "{about}");
            }
            After::Cleared => {
                let (header, stored) = folder.open();
                assert_eq!((stored.as_str(), header.etag), (CLEARED, None), "{about}");
            }
        }
        let kept = "kept the last good snapshot from";
        let failed = outcome.status >= Status::Stale;
        assert_eq!(
            outcome.message.contains(kept),
            failed && stored.is_some(),
            "{about}: {outcome:?}"
        );
        let nothing = outcome.message.contains("no snapshot is stored yet");
        assert_eq!(nothing, failed && stored.is_none(), "{about}: {outcome:?}");
    }
}

fn job(host: &str, folder: &Folder, policy: Policy, timeout: Duration) -> Job {
    let patience = Patience {
        retries: 1,
        delay: Duration::from_millis(10),
        max_delay: Duration::from_secs(30),
    };
    let upstream = upstream(host, patience, timeout, 2 << 20);
    let store = FileStore::new(folder.folder.path().to_owned(), "flags");
    let stores: Vec<Box<dyn Store>> = vec![Box::new(store)];
    Job { policy, upstream, stores }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_policy_table_holds() {
    let mut checks = Vec::new();
    // As many at once as a small machine serves in time.
    let turns = Arc::new(tokio::sync::Semaphore::new(8));
    let table: Table = serde_json::from_str(TABLE).unwrap();
    for row in table.rows.into_iter().map(Arc::new) {
        for (before, age) in table.before.clone() {
            for (like, policy) in table.policies.iter().map(|(name, it)| (name.clone(), policy(it)))
            {
                let (row, turns, before) = (row.clone(), turns.clone(), before.clone());
                checks.push(tokio::spawn(async move {
                    let _turn = turns.acquire().await.unwrap();
                    row.holds((&before, age), (&like, policy)).await;
                }));
            }
        }
    }
    assert_eq!(checks.len(), 36 * 3 * 3);
    for check in checks {
        check.await.unwrap();
    }
}
