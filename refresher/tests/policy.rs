//! The policy table: what every answer of PostHog's, and every way of not answering, makes of a store
//! that holds nothing, a fresh snapshot or an old one, by default and as posthog-node and
//! @posthog/convex do it.
//!
//! PARITY: `_loadFeatureFlags` (posthog-node 5.70.0) clears at 402 and keeps everything otherwise;
//! `refreshFlagDefinitions` (@posthog/convex 2.1.5) clears at 402 too, and at a cold cache if nothing is
//! stored or what is stored is older than five minutes. DIFFERENCE: @posthog/convex counts from when the
//! definitions last changed, since its 304 renews nothing; here from when they were last confirmed.

mod support;

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
use support::stage::BOMB;
use support::web::{Answer, Flow, serve};
use support::{Folder, definitions, upstream};

const CLEARED: &str = r#"{"flags":[],"group_type_mapping":{},"cohorts":{}}"#;
const COLD: &str = "{\"detail\":\"Required data not found in cache\"}";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Nothing,
    /// Checked a minute ago.
    Fresh,
    /// Checked ten minutes ago.
    Old,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Like {
    Default,
    PostHogNode,
    PostHogConvex,
}

impl Like {
    fn policy(self) -> Policy {
        let on_quota = if self == Like::Default { OnQuota::Keep } else { OnQuota::Clear };
        let five_minutes = Duration::from_secs(300);
        let clear_cold_after = (self == Like::PostHogConvex).then_some(five_minutes);
        Policy { on_quota, clear_cold_after, ..Policy::default() }
    }
}

/// What is stored afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    /// What was there, byte for byte; nothing if that was nothing.
    Same,
    /// The definitions that came.
    New,
    /// No flags.
    Cleared,
}

enum Upstreams {
    Answers(Option<Answer>, Duration),
    At(String),
}

struct Row {
    name: String,
    upstream: Upstreams,
    status: Status,
    reason: Option<Reason>,
    attempts: u32,
    /// What the message holds.
    says: &'static str,
}

fn row(
    name: &str,
    answer: Answer,
    status: Status,
    reason: Option<Reason>,
    says: &'static str,
) -> Row {
    let upstream = Upstreams::Answers(Some(answer), Duration::ZERO);
    Row { name: name.to_owned(), upstream, status, reason, attempts: 1, says }
}

/// A row of a fault that is not tried again.
fn final_fault(name: &str, answer: Answer, reason: Reason, says: &'static str) -> Row {
    row(name, answer, Status::Error, Some(reason), says)
}

/// A row of a fault that is tried again.
fn passing_fault(name: &str, answer: Answer, reason: Reason, says: &'static str) -> Row {
    Row { attempts: 2, ..final_fault(name, answer, reason, says) }
}

fn no_answer(name: &str, upstream: Upstreams, says: &'static str) -> Row {
    Row { upstream, ..passing_fault(name, Answer::new(200, ""), Reason::FetchFailed, says) }
}

fn ok(body: impl Into<String>) -> Answer {
    Answer::new(200, body.into()).header("ETag", "\"new\"")
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

async fn rows() -> Vec<Row> {
    use Reason::{
        Auth, ColdCache, InvalidShape, ParseFailed, Quota, RateLimited, TooLarge, UnexpectedStatus,
    };
    let status = |status| Answer::new(status, "");
    let new = definitions(3);
    let later = |time| httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(time));
    let large = format!("{{\"flags\":[],\"x\":\"{}\"}}", " ".repeat(3 << 20));
    let packed = Answer::new(200, BOMB.clone()).header("Content-Encoding", "gzip");
    let elsewhere = status(302).header("Location", "https://example.com/x?token=y");
    let hung = Upstreams::Answers(Some(ok(&*new)), Duration::from_secs(20));
    let trickle = Upstreams::Answers(Some(ok(&*new).flow(Flow::Trickle)), Duration::ZERO);
    let cut = Upstreams::Answers(Some(ok(&*new).flow(Flow::Cut)), Duration::ZERO);
    let closed = Upstreams::Answers(None, Duration::ZERO);
    let refused = Upstreams::At("http://127.0.0.1:1".to_owned());
    let unknown = Upstreams::At("https://no-such-host.invalid".to_owned());
    vec![
        row("200 valid", ok(&*new), Status::Updated, None, "3 flags"),
        row("200 without flags", ok("{\"flags\":[]}"), Status::Empty, None, ""),
        row("304", status(304), Status::Unchanged, None, ""),
        final_fault("200 with nothing", ok(""), ParseFailed, "not definitions"),
        final_fault(
            "200 with HTML",
            ok("<html>maintenance</html>"),
            ParseFailed,
            "not definitions",
        ),
        final_fault("200 truncated", ok(&new[..100]), ParseFailed, "not definitions"),
        final_fault("200 null", ok("null"), InvalidShape, "not definitions"),
        final_fault("200 list", ok("[1]"), InvalidShape, "not definitions"),
        final_fault("200 {}", ok("{}"), InvalidShape, "not definitions"),
        final_fault("200 flags are 3", ok("{\"flags\":3}"), InvalidShape, "not definitions"),
        final_fault("200 detail", ok("{\"detail\":\"no\"}"), InvalidShape, "not definitions"),
        final_fault("200 too large", ok(large), TooLarge, "larger than 2 MiB"),
        final_fault("200 too large, packed", packed, TooLarge, "larger than 2 MiB"),
        final_fault("401", status(401), Auth, "check that the personal or secret API key"),
        final_fault("402", status(402), Quota, "billing limits"),
        final_fault("403", status(403), Auth, "feature_flag:read"),
        final_fault("404", status(404), UnexpectedStatus, "check the host"),
        final_fault("418", status(418), UnexpectedStatus, "418"),
        final_fault("204", status(204), UnexpectedStatus, "204"),
        final_fault("302", elsewhere, UnexpectedStatus, "redirect to https://example.com:"),
        passing_fault("429", status(429), RateLimited, "too many requests"),
        passing_fault("429, 0 s", status(429).header("Retry-After", "0"), RateLimited, "after 0 s"),
        passing_fault(
            "429, past date",
            status(429).header("Retry-After", &later(0)),
            RateLimited,
            "",
        ),
        final_fault(
            "429, 31 s",
            status(429).header("Retry-After", "31"),
            RateLimited,
            "after 31 s",
        ),
        final_fault(
            "429, date",
            status(429).header("Retry-After", &later(3600)),
            RateLimited,
            " s",
        ),
        passing_fault("500", Answer::new(500, "boom"), UnexpectedStatus, "500: boom"),
        passing_fault("502", status(502), UnexpectedStatus, "502"),
        passing_fault("503", status(503), UnexpectedStatus, "503"),
        passing_fault("503 cold", Answer::new(503, COLD), ColdCache, "warming up"),
        no_answer("slow header", hung, "timed out while waiting for the answer"),
        no_answer("slow body", trickle, "timed out while the answer was coming"),
        no_answer("cut body", cut, "cut short"),
        no_answer("closed", closed, "the request failed"),
        no_answer("refused", refused, "refused"),
        no_answer("no such host", unknown, "dns error"),
        no_answer("a certificate of its own", Upstreams::At(self_signed().await), "tls: "),
    ]
}

impl Row {
    /// Status, reason and what is stored afterwards.
    fn expected(&self, before: Before, like: Like) -> (Status, Option<Reason>, After) {
        let refused = (Status::Stale, Some(Reason::EmptyRefused), After::Same);
        let unasked = (Status::Error, Some(Reason::UnexpectedStatus), After::Same);
        let cleared = (Status::Empty, self.reason, After::Cleared);
        let stale = (Status::Stale, self.reason, After::Same);
        match (self.name.as_str(), before, like) {
            ("200 without flags", Before::Fresh | Before::Old, _) => refused,
            ("304", Before::Nothing, _) => unasked,
            ("402", _, Like::PostHogNode | Like::PostHogConvex) => cleared,
            ("503 cold", Before::Nothing | Before::Old, Like::PostHogConvex) => cleared,
            ("503 cold", Before::Fresh | Before::Old, _) => stale,
            _ if matches!(self.status, Status::Updated | Status::Empty) => {
                (self.status, self.reason, After::New)
            }
            _ => (self.status, self.reason, After::Same),
        }
    }

    async fn holds(&self, before: Before, like: Like) {
        let about = format!("{}, {before:?}, {like:?}", self.name);
        let conditions = Arc::<Mutex<Vec<Option<String>>>>::default();
        let host = match &self.upstream {
            Upstreams::At(host) => host.clone(),
            Upstreams::Answers(answer, delay) => {
                let (answer, delay, seen) = (answer.clone(), *delay, conditions.clone());
                serve(move |asked| {
                    seen.lock().unwrap().push(asked.header("if-none-match").map(str::to_owned));
                    let answer = answer.clone();
                    async move {
                        tokio::time::sleep(delay).await;
                        answer
                    }
                })
                .await
            }
        };
        let folder = Folder::new();
        let slow = self.name.starts_with("slow");
        let timeout = Duration::from_millis(if slow { 500 } else { 30_000 });
        let job = job(&host, &folder, like.policy(), timeout);
        let stored = (before != Before::Nothing).then(|| {
            let age = SignedDuration::from_mins(if before == Before::Old { 10 } else { 1 });
            let at = rfc3339(Timestamp::now() - age);
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
        assert_eq!((outcome.status, outcome.reason), (status, reason), "{about}: {outcome:?}");
        let exit = reason.map_or(Exit::Ok, Reason::exit);
        assert_eq!((outcome.exit(), report.exit), (exit, exit), "{about}");
        assert_eq!(outcome.written, after != After::Same, "{about}");
        if after == After::Same && outcome.status == self.status {
            assert!(outcome.message.contains(self.says), "{about}: {outcome:?}");
        }
        let expected_attempts = if outcome.reason == self.reason { self.attempts } else { 1 };
        assert_eq!(report.attempts, expected_attempts, "{about}: {outcome:?}");

        // An etag only with a snapshot that holds what it names.
        let etag = stored.as_ref().map(|_| "\"stored\"".to_owned());
        let conditions = conditions.lock().unwrap();
        assert!(conditions.iter().all(|condition| *condition == etag), "{about}: {conditions:?}");
        let asked = matches!(self.upstream, Upstreams::Answers(..));
        assert_eq!(conditions.len() as u32, if asked { report.attempts } else { 0 }, "{about}");

        let now = std::fs::read(folder.path()).ok();
        match after {
            After::Same => assert!(now == stored, "{about}: what is stored changed"),
            After::New => {
                let (header, stored) = folder.open();
                let new =
                    if self.name == "200 valid" { definitions(3) } else { "{\"flags\":[]}".into() };
                assert_eq!((stored, header.etag.as_deref()), (new, Some("\"new\"")), "{about}");
            }
            After::Cleared => {
                let (header, stored) = folder.open();
                assert_eq!((stored.as_str(), header.etag), (CLEARED, None), "{about}");
            }
        }
        let kept = "kept the last good snapshot from";
        let failed = status >= Status::Stale;
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
    for row in rows().await.into_iter().map(Arc::new) {
        for before in [Before::Nothing, Before::Fresh, Before::Old] {
            for like in [Like::Default, Like::PostHogNode, Like::PostHogConvex] {
                let (row, turns) = (row.clone(), turns.clone());
                checks.push(tokio::spawn(async move {
                    let _turn = turns.acquire().await.unwrap();
                    row.holds(before, like).await;
                }));
            }
        }
    }
    assert_eq!(checks.len(), 36 * 3 * 3);
    for check in checks {
        check.await.unwrap();
    }
}
