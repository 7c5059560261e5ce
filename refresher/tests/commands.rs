//! The commands that look at stores and steer them, run as programs.

mod support;

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flagpost_engine::snapshot::Snapshot;
use refresher::clock::{Clock, SystemClock, rfc3339};
use refresher::snapshot::{Origin, digest, hex, sealed};
use serde_json::{Value, json};
use support::kv::Kv;
use support::{
    Folder, PERSONAL_KEY, PROJECT_KEY, Run, answer, command, definitions, finish, ok, refresh, s3,
};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// PostHog with so many flags and an etag: whoever shows it gets 304.
async fn serve(server: &MockServer, flags: usize) {
    let etag = format!("\"{flags}\"");
    answer(server, ok(&definitions(flags)).insert_header("ETag", etag.as_str())).await;
    Mock::given(header("If-None-Match", etag.as_str()))
        .respond_with(ResponseTemplate::new(304))
        .with_priority(1)
        .mount(server)
        .await;
}

/// Where a test's store is, and what a program needs to reach it.
struct Place {
    store: String,
    environment: Vec<(&'static str, String)>,
}

impl Place {
    fn of(folder: &Folder) -> Place {
        Place { store: folder.store.clone(), environment: Vec::new() }
    }

    fn with(&self, mut command: Command) -> Command {
        command.envs(self.environment.iter().cloned());
        command
    }

    /// A refresh that must end well.
    async fn refresh(&self, server: &MockServer, more: &[&str]) -> Value {
        let run = finish(self.with(refresh(&server.uri(), &self.store, more))).await;
        assert_eq!(run.code, 0, "{run:?}");
        run.store()
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        let store = ["--store", self.store.as_str(), "--retry-delay", "10ms"];
        finish(self.with(command([arguments, &store].concat()))).await
    }

    /// What `--json` says of the only store.
    async fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat()).await;
        assert_eq!(run.code, 0, "{run:?}");
        run.store()
    }

    async fn current(&self) -> Value {
        self.json(&["status"]).await["snapshot"].clone()
    }
}

fn of(flags: usize) -> String {
    digest(definitions(flags).as_bytes())
}

/// A store of each kind with versions of 1, 2 and 3 flags.
async fn places(server: &MockServer) -> (Vec<Place>, Folder, s3::S3, Kv) {
    let (folder, bucket, kv) = (Folder::new(), s3::start().await, Kv::start().await);
    let places = vec![
        Place::of(&folder),
        Place { store: "s3://flags/a/b".to_owned(), environment: s3::environment(&bucket).into() },
        Place { store: "kv:ns".to_owned(), environment: kv.environment().into() },
    ];
    for flags in 1..=3 {
        serve(server, flags).await;
        for place in &places {
            place.refresh(server, &[]).await;
        }
    }
    (places, folder, bucket, kv)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_stays_until_it_is_unpinned() {
    let server = MockServer::start().await;
    let (places, _folder, _bucket, _kv) = places(&server).await;
    for place in &places {
        let rolled = place.run(&["rollback"]).await;
        assert_eq!(rolled.code, 0, "{rolled:?}");
        assert!(rolled.stdout.contains("rolled back to sha256:"), "{rolled:?}");
        assert!(rolled.stdout.contains("- flag-2: was 100% of everybody"), "{rolled:?}");
        assert!(rolled.stdout.contains("`refresher unpin`"), "{rolled:?}");
        assert_eq!(place.current().await["digest"], of(2));

        let refreshed = place.refresh(&server, &[]).await;
        assert_eq!(
            (&refreshed["status"], &refreshed["reason"]),
            (&json!("skipped"), &json!("pinned"))
        );
        assert_eq!(place.current().await["digest"], of(2));

        let versions = place.json(&["history"]).await["versions"].clone();
        let marks: Vec<_> = versions
            .as_array()
            .unwrap()
            .iter()
            .map(|v| {
                (
                    v["flags"].clone(),
                    v["current"] == true,
                    v["pinned"] == true,
                    v["rolledBack"] == true,
                )
            })
            .collect();
        assert_eq!(
            marks,
            [
                (json!(3), false, false, true),
                (json!(2), true, true, false),
                (json!(1), false, false, false)
            ]
        );
        let table = place.run(&["history"]).await.stdout;
        assert!(table.contains("rolled back\n") && table.contains("current, pinned\n"), "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= 82), "{table}");

        // Once more goes further back, and a digest goes forward again.
        assert_eq!(place.json(&["rollback"]).await["digest"], of(1));
        let nothing = place.run(&["rollback"]).await;
        assert_eq!(nothing.code, 8);
        assert!(nothing.stderr.contains("no version before the current one"), "{nothing:?}");
        assert_eq!(place.json(&["rollback", &of(2)]).await["digest"], of(2));
        let again = place.json(&["rollback", &of(2)]).await;
        assert_eq!((&again["written"], &again["changes"]), (&json!(false), &Value::Null));

        assert_eq!(place.json(&["unpin"]).await["written"], true);
        assert_eq!(place.json(&["unpin"]).await["written"], false);
        assert_eq!(place.refresh(&server, &[]).await["status"], "updated");
        assert_eq!(place.current().await["digest"], of(3));
    }
}

#[tokio::test]
async fn versions_go_by_the_beginning_of_their_digest() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place::of(&folder);
    for flags in 1..=2 {
        serve(&server, flags).await;
        place.refresh(&server, &[]).await;
    }
    let old = of(1);
    for wanted in [&old[7..13], &old[..15], &old[7..].to_uppercase(), &old] {
        place.json(&["unpin"]).await;
        place.json(&["rollback", &of(2)]).await;
        assert_eq!(place.json(&["pin", wanted]).await["digest"], old.as_str(), "{wanted}");
    }
    // A second version with the same beginning.
    let file = folder.folder.path().join("flags/history.json");
    let mut history: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let mut twin = history["versions"][0].clone();
    twin["digest"] = format!("{}{}", &old[..15], "0".repeat(56)).into();
    history["versions"].as_array_mut().unwrap().push(twin);
    fs::write(&file, history.to_string()).unwrap();
    let before = folder.bytes();
    for (wanted, says) in [
        (&old[7..15], "2 versions begin with"),
        ("abcdef0", "no version begins with abcdef0; there are sha256:"),
        ("abc", "the first 6 digits"),
        ("phx_secretsecret", "is no version"),
    ] {
        let run = place.run(&["rollback", wanted]).await;
        assert_eq!((run.code, run.stdout.as_str()), (8, ""), "{wanted}: {run:?}");
        assert!(run.stderr.contains(says), "{wanted}: {run:?}");
    }
    assert_eq!(folder.bytes(), before);
}

#[tokio::test]
async fn only_a_good_version_becomes_current() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place::of(&folder);
    for flags in 1..=3 {
        serve(&server, flags).await;
        place.refresh(&server, &[]).await;
    }
    let version =
        |flags| folder.folder.path().join(format!("flags/versions/{}.snapshot", hex(&of(flags))));
    let before = folder.bytes();
    let good = fs::read(version(1)).unwrap();
    let mut torn = good.clone();
    torn.truncate(good.len() - 9);
    let unreadable = sealed(b"{\"flags\":7}", Origin::default()).unwrap();
    for (bytes, says) in [
        (torn, "damaged"),
        (fs::read(version(2)).unwrap(), "is another version"),
        (unreadable, "is another version"),
    ] {
        fs::write(version(1), bytes).unwrap();
        let run = place.run(&["rollback", &of(1)]).await;
        assert_eq!(run.code, 8, "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
        assert_eq!(folder.bytes(), before);
    }
    fs::remove_file(version(1)).unwrap();
    let run = place.run(&["rollback", &of(1)]).await;
    assert!(run.code == 8 && run.stderr.contains("holds no version"), "{run:?}");
    // What the evaluator cannot load, under its right name.
    let odd = b"{\"flags\":7}";
    let name = folder.folder.path().join(format!("flags/versions/{}.snapshot", hex(&digest(odd))));
    fs::write(name, sealed(odd, Origin::default()).unwrap()).unwrap();
    let run = place.run(&["rollback", &digest(odd)]).await;
    assert!(run.code == 8 && run.stderr.contains("cannot be read by this program"), "{run:?}");
    assert_eq!(folder.bytes(), before);
    // From a damaged snapshot there is a way back.
    fs::write(folder.path(), &before[..before.len() / 2]).unwrap();
    assert_eq!(place.run(&["status"]).await.code, 8);
    assert_eq!(place.json(&["rollback", &of(2)]).await["digest"], of(2));
    assert_eq!(place.current().await["digest"], of(2));
}

#[tokio::test]
async fn what_is_rolled_back_is_kept_even_if_no_refresh_kept_it() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place::of(&folder);
    serve(&server, 1).await;
    place.refresh(&server, &[]).await;
    serve(&server, 2).await;
    place.refresh(&server, &["--history", "0"]).await;
    let table = place.run(&["history"]).await.stdout;
    assert!(table.contains("current, not kept"), "{table}");
    assert_eq!(place.json(&["rollback"]).await["digest"], of(1));
    assert_eq!(place.json(&["rollback", &of(2)[..20]]).await["digest"], of(2));
}

/// PostHog whose definitions differ from one answer to the next.
async fn restless(server: &MockServer) {
    let count = AtomicUsize::new(0);
    Mock::given(method("GET"))
        .and(path("/flags/definitions"))
        .respond_with(move |_: &Request| {
            let body = definitions(10 + count.fetch_add(1, Ordering::Relaxed) % 7);
            ok(&body.replace("Flag 1\"", &format!("Flag {}\"", count.load(Ordering::Relaxed))))
        })
        .mount(server)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_racing_refresh_wins_over_a_rollback() {
    let server = MockServer::start().await;
    let (places, _folder, _bucket, _kv) = places(&server).await;
    server.reset().await;
    restless(&server).await;
    let server = Arc::new(server);
    // KV compares nothing by itself, and has a test of its own.
    for place in places.into_iter().take(2).map(Arc::new) {
        for _ in 0..3 {
            place.json(&["unpin"]).await;
            let racers: Vec<_> = (0..4)
                .map(|_| {
                    let (place, server) = (place.clone(), server.clone());
                    tokio::spawn(async move {
                        for _ in 0..4 {
                            place.refresh(&server, &["--force", "--history", "1000"]).await;
                        }
                    })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(60)).await;
            let rolled = place.json(&["rollback", &of(1)]).await;
            assert_eq!(rolled["digest"], of(1));
            let right_after = place.current().await;
            for racer in racers {
                racer.await.unwrap();
            }
            for current in [right_after, place.current().await] {
                assert_eq!((&current["digest"], &current["pinned"]), (&json!(of(1)), &json!(true)));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_on_kv_is_written_again_when_a_refresh_writes_over_it() {
    let (server, kv) = (MockServer::start().await, Kv::start().await);
    let place = Place { store: "kv:ns".to_owned(), environment: kv.environment().into() };
    for flags in 1..=2 {
        serve(&server, flags).await;
        place.refresh(&server, &[]).await;
    }
    // A refresh that compared before the rollback wrote, and writes a second after it.
    let (state, refreshed) = (kv.state.clone(), kv.value("flagpost").unwrap());
    let racer = tokio::spawn(async move {
        loop {
            let there = state.lock().unwrap().values["flagpost"].clone();
            if Snapshot::open(&there).unwrap().header().unwrap().pinned {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        state.lock().unwrap().values.insert("flagpost".to_owned(), refreshed);
    });
    let rolled = place.json(&["rollback"]).await;
    racer.await.unwrap();
    assert_eq!((&rolled["digest"], &rolled["written"]), (&json!(of(1)), &json!(true)));
    let current = place.current().await;
    assert_eq!((&current["digest"], &current["pinned"]), (&json!(of(1)), &json!(true)));
}

#[tokio::test]
async fn pin_keeps_what_is_current() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place::of(&folder);
    let nothing = place.run(&["pin"]).await;
    assert!(nothing.code == 8 && nothing.stderr.contains("no good snapshot"), "{nothing:?}");
    serve(&server, 1).await;
    place.refresh(&server, &[]).await;
    assert_eq!(
        place.json(&["pin"]).await,
        json!({
            "store": format!("file:{}", folder.path().display()), "exitCode": 0,
            "digest": of(1), "written": true, "pinned": true,
        })
    );
    assert!(place.run(&["pin"]).await.stdout.contains("is pinned already"));
    serve(&server, 2).await;
    assert_eq!(place.refresh(&server, &[]).await["reason"], "pinned");
    let (header, body) = folder.open();
    assert!(header.pinned && header.etag.as_deref() == Some("\"1\"") && body == definitions(1));
}

#[tokio::test]
async fn status_tells_ages_errors_and_what_cannot_be_decided() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place::of(&folder);
    let empty = place.json(&["status"]).await;
    assert_eq!((&empty["snapshot"], &empty["versions"]), (&Value::Null, &json!(0)));
    let sticky = definitions(2).replacen(
        "\"active\"",
        "\"ensure_experience_continuity\":true,\"active\"",
        1,
    );
    answer(&server, ok(&sticky).insert_header("ETag", "\"e\"")).await;
    place.refresh(&server, &["--only-tags", "x"]).await;
    place.refresh(&server, &[]).await;
    let status = place.run(&["status"]).await.stdout;
    for says in [
        "2 flags, ",
        "ETag       yes",
        "pinned     no",
        "filter     none",
        "versions   2 kept",
        "only PostHog decides 1 flag",
        "flag-0 (experience_continuity)",
        "a 304 does not count",
        "43,200 requests, 600 answered",
    ] {
        assert!(status.contains(says), "{says} in {status}");
    }
    assert!(!status.contains("last error"), "{status}");

    answer(&server, ResponseTemplate::new(401)).await;
    let failed = finish(refresh(&server.uri(), &folder.store, &[])).await;
    assert_eq!(failed.code, 3);
    let status = place.json(&["status"]).await;
    let error = &status["lastError"];
    assert_eq!((&error["reason"], &error["checkedSince"]), (&json!("auth"), &json!(false)));
    assert_eq!(status["snapshot"]["undecidable"][0]["reason"], "experience_continuity");
    assert!(place.run(&["status"]).await.stdout.contains("(auth); not checked since"));

    answer(&server, ok(&sticky)).await;
    place.refresh(&server, &["--heartbeat", "1ms"]).await;
    assert_eq!(place.json(&["status"]).await["lastError"]["checkedSince"], true);
    let status = place.run(&["status"]).await.stdout;
    assert!(status.contains("; checked since") && status.contains("ETag       no: "), "{status}");
    assert!(status.contains("432,000 of 1,000,000 free"), "{status}");
}

fn old(folder: &Folder, hours: i64, pinned: bool) {
    let at = rfc3339(SystemClock.now() - jiff::SignedDuration::from_hours(hours));
    let origin = Origin { fetched_at: at.clone(), checked_at: at, ..Origin::default() };
    let bytes = sealed(definitions(1).as_bytes(), origin).unwrap();
    let version = refresher::store::Version(String::new());
    let held =
        refresher::snapshot::Held::open(refresher::store::Stored { bytes, version }).unwrap();
    fs::write(folder.path(), held.pinned(pinned).unwrap()).unwrap();
}

#[tokio::test]
async fn max_age_ends_with_13_for_monitoring() {
    let folder = Folder::new();
    let place = Place::of(&folder);
    let nothing = place.run(&["status", "--max-age", "1h"]).await;
    assert!(
        nothing.code == 13 && nothing.stdout.contains("too old: nothing is stored"),
        "{nothing:?}"
    );
    for (hours, pinned, age, code) in
        [(2, false, "90m", 13), (2, false, "3h", 0), (200, false, "24h", 13), (2, true, "90m", 0)]
    {
        old(&folder, hours, pinned);
        let run = place.run(&["status", "--max-age", age, "--json"]).await;
        assert_eq!((run.code, run.store()["tooOld"] == true), (code, code == 13), "{run:?}");
        assert_eq!(run.store()["snapshot"]["checkedAgo"].as_i64().unwrap() / 3600, hours);
    }
    old(&folder, 200, false);
    let run = place.run(&["status", "--max-age", "24h"]).await;
    assert!(run.stdout.contains("too old: checked 8 days ago, more than 24 h"), "{run:?}");
}

#[tokio::test]
async fn inspect_shows_files_versions_and_what_is_stored() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place::of(&folder);
    for flags in 1..=2 {
        serve(&server, flags).await;
        place.refresh(&server, &["--drop-names"]).await;
    }
    let file = folder.path();
    for arguments in [vec!["inspect"], vec!["inspect", file.to_str().unwrap()]] {
        let run = place.run(&arguments).await;
        assert_eq!(run.code, 0, "{run:?}");
        for says in [
            "snapshot  sha256:",
            "ETag      \"2\"",
            "filter    names=no",
            "sections  HEAD ",
            "2 flags",
            "● flag-0  100% of everybody",
        ] {
            assert!(run.stdout.contains(says), "{says}: {run:?}");
        }
    }
    let (_, now) = folder.open();
    assert_eq!(place.run(&["inspect", "--definitions"]).await.stdout, now);
    let history = place.json(&["history"]).await;
    let first = history["versions"][1]["digest"].as_str().unwrap().to_owned();
    assert_eq!(
        digest(place.run(&["inspect", "--definitions", &first[7..20]]).await.stdout.as_bytes()),
        first
    );
    assert_eq!(place.json(&["inspect", &first]).await["flags"].as_array().unwrap().len(), 1);

    let damaged = folder.folder.path().join("damaged");
    fs::write(&damaged, "FLAGPOST, but not for long").unwrap();
    for (file, code, says) in [
        (damaged.to_str().unwrap(), 8, "damaged"),
        ("/no/such.snapshot", 1, "cannot read /no/such.snapshot"),
        ("abcdef012345", 8, "no version begins with"),
    ] {
        for more in [&[][..], &["--definitions"]] {
            let run = place.run(&[&["inspect", file], more].concat()).await;
            assert_eq!(run.code, code, "{file}: {run:?}");
            assert!(run.stdout.is_empty() && run.stderr.contains(says), "{file}: {run:?}");
        }
    }
    let odd = folder.folder.path().join("odd");
    fs::write(&odd, sealed(b"{\"flags\":7}", Origin::default()).unwrap()).unwrap();
    let run = place.run(&["inspect", odd.to_str().unwrap()]).await;
    assert!(run.code == 8 && run.stdout.contains("the evaluator cannot load it"), "{run:?}");
}

#[tokio::test]
async fn diff_asks_posthog_and_writes_nothing() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place {
        environment: vec![
            ("POSTHOG_HOST", server.uri()),
            ("POSTHOG_PROJECT_KEY", PROJECT_KEY.to_owned()),
            ("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY.to_owned()),
        ],
        ..Place::of(&folder)
    };
    let nothing = place.run(&["diff"]).await;
    assert!(nothing.code == 8 && nothing.stderr.contains("nothing is stored yet"), "{nothing:?}");
    serve(&server, 2).await;
    place.refresh(&server, &["--drop-names"]).await;
    let (before, names) = (folder.bytes(), folder.names());
    let same = place.run(&["diff", "--exit-code"]).await;
    assert!(same.code == 0 && same.stdout.contains("no changes"), "{same:?}");
    serve(&server, 3).await;
    let run = place.run(&["diff"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("1 flag added\n  + flag-2: 100% of everybody"), "{run:?}");
    let json = place.json(&["diff"]).await;
    assert_eq!(
        (&json["differs"], &json["changes"]["added"][0]["key"]),
        (&json!(true), &json!("flag-2"))
    );
    assert_eq!(place.run(&["diff", "--exit-code"]).await.code, 14);
    assert_eq!((folder.bytes(), folder.names()), (before, names));
    for (status, code) in [(401, 3), (402, 4), (429, 5), (500, 6)] {
        answer(&server, ResponseTemplate::new(status)).await;
        let run = place.run(&["diff", "--retries", "0"]).await;
        assert!(run.code == code && run.stderr.contains(&format!("answered {status}")), "{run:?}");
    }
    let keyless = finish(command(["diff", "--store", &folder.store])).await;
    assert!(keyless.code == 2 && keyless.stderr.contains("set POSTHOG_PROJECT_KEY"), "{keyless:?}");
}

#[tokio::test]
async fn diff_compares_versions_and_files() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let place = Place::of(&folder);
    for flags in 1..=3 {
        serve(&server, flags).await;
        place.refresh(&server, &[]).await;
    }
    let file = folder.folder.path().join("four.json");
    fs::write(&file, definitions(4)).unwrap();
    let (file, snapshot) = (file.to_str().unwrap().to_owned(), folder.path().display().to_string());
    let [one, two] = [of(1)[7..15].to_owned(), of(2)];
    for (sides, says) in [
        (vec![one.as_str()], "2 flags added"),
        (vec![two.as_str(), one.as_str()], "1 flag removed"),
        (vec![one.as_str(), file.as_str()], "3 flags added"),
        (vec![file.as_str(), snapshot.as_str()], "1 flag removed"),
        (vec![snapshot.as_str(), snapshot.as_str()], "no changes"),
    ] {
        let run = place.run(&[&["diff"], sides.as_slice()].concat()).await;
        assert!(run.code == 0 && run.stdout.contains(says), "{says}: {run:?}");
    }
    let odd = folder.folder.path().join("odd.json");
    fs::write(&odd, "[]").unwrap();
    let run = place.run(&["diff", odd.to_str().unwrap()]).await;
    assert!(run.code == 8 && run.stderr.contains("cannot be compared"), "{run:?}");
}

#[tokio::test]
async fn each_store_is_told_of_on_its_own() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    serve(&server, 1).await;
    Place::of(&folder).refresh(&server, &[]).await;
    for name in ["status", "history", "inspect", "pin", "unpin"] {
        let stores =
            [name, "--json", "--store", folder.store.as_str(), "--store", "file:/dev/null/x"];
        let run = finish(command(stores)).await;
        assert_eq!(run.code, 12, "{run:?}");
        let stores = run.json()["stores"].clone();
        assert_eq!((&stores[0]["exitCode"], &stores[1]["exitCode"]), (&json!(0), &json!(9)));
        assert!(stores[1]["error"].as_str().unwrap().contains("Not a directory"), "{run:?}");
        assert!(run.stderr.starts_with("error: file:/dev/null/x/flags.snapshot: "), "{run:?}");
        let alone = finish(command([name, "--store", "file:/dev/null/x"])).await;
        assert_eq!((alone.code, alone.stdout.as_str()), (9, ""), "{alone:?}");
    }
    let wrong = finish(command(["status", "--json", "--store", "redis:x"])).await;
    assert_eq!((wrong.code, &wrong.json()["exitCode"]), (2, &json!(2)), "{wrong:?}");
    let several = ["inspect", "--definitions", "--store", "file:a", "--store", "file:b"];
    assert_eq!(finish(command(several)).await.code, 2);
}

#[tokio::test]
async fn every_command_teaches_by_example() {
    for name in ["status", "history", "rollback", "pin", "unpin", "diff", "inspect", "doctor"] {
        let help = finish(command([name, "--help"])).await;
        assert_eq!(help.code, 0);
        assert!(help.stdout.contains("Example") && help.stdout.contains("refresher "), "{name}");
        assert!(help.stdout.contains("xit codes: "), "{name}");
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 110), "{name}");
    }
}
