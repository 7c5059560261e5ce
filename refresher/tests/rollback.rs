//! Going back to an old version, and staying there, by the real program on real stores.

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

use flagpost_engine::snapshot::Snapshot;
use refresher::snapshot::{Origin, digest, hex, sealed};
use serde_json::{Value, json};
use support::daemon::PATIENCE;
use support::kv::Kv;
use support::place::{Place, of, places, serve};
use support::{Folder, PERSONAL_KEY, PROJECT_KEY, definitions, ok};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request};

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_stays_until_it_is_unpinned() {
    let server = MockServer::start().await;
    let (places, _folder, _bucket, _kv) = places(&server).await;
    for place in &places {
        goes_back_and_on(&server, place).await;
    }
}

/// Needs a local KV with Cloudflare's API, as `tests/store_contract.rs` does.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_on_a_local_kv_stays_until_it_is_unpinned() {
    let Some([base, namespace]) =
        support::served("FLAGPOST_TEST_KV_BASE", "FLAGPOST_TEST_KV_NAMESPACE")
    else {
        return;
    };
    let server = MockServer::start().await;
    let place = Place {
        store: format!("kv:{namespace}/commands-{}", support::age()),
        environment: vec![("CLOUDFLARE_API_BASE_URL", base)],
    };
    for flags in 1..=3 {
        serve(&server, flags).await;
        place.refresh(&server, &[]).await;
    }
    goes_back_and_on(&server, &place).await;
    let doctor = ["doctor", "--host", &server.uri(), "--project-key", PROJECT_KEY];
    let mut environment = place.environment.clone();
    environment.push(("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY.to_owned()));
    let checked = Place { environment, ..place }.run(&doctor).await;
    assert!(checked.code == 0 && checked.stdout.contains("✓ writable"), "{checked:?}");
}

/// On a store with versions of 1, 2 and 3 flags.
async fn goes_back_and_on(server: &MockServer, place: &Place) {
    let rolled = place.run(&["rollback"]).await;
    assert_eq!(rolled.code, 0, "{rolled:?}");
    assert!(rolled.stdout.contains("rolled back to sha256:"), "{rolled:?}");
    assert!(rolled.stdout.contains("- flag-2: was 100% of everybody"), "{rolled:?}");
    assert!(rolled.stdout.contains("`refresher unpin`"), "{rolled:?}");
    assert_eq!(place.current().await["digest"], of(2));

    let refreshed = place.refresh(server, &[]).await;
    assert_eq!((&refreshed["status"], &refreshed["reason"]), (&json!("skipped"), &json!("pinned")));
    assert_eq!(place.current().await["digest"], of(2));

    let versions = place.json(&["history"]).await["versions"].clone();
    let marks: Vec<_> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|v| {
            (v["flags"].clone(), v["current"] == true, v["pinned"] == true, v["rolledBack"] == true)
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
    assert_eq!(place.refresh(server, &[]).await["status"], "updated");
    assert_eq!(place.current().await["digest"], of(3));
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
            let body = definitions(10 + count.fetch_add(1, SeqCst) % 7);
            ok(&body.replace("Flag 1\"", &format!("Flag {}\"", count.load(SeqCst))))
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
            let (updates, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
            let racers: Vec<_> = (0..4)
                .map(|_| {
                    let (place, server) = (place.clone(), server.clone());
                    let (updates, over) = (updates.clone(), over.clone());
                    tokio::spawn(async move {
                        while !over.load(SeqCst) {
                            let more = ["--force", "--history", "1000"];
                            let refreshed = place.refresh(&server, &more).await;
                            updates
                                .fetch_add(usize::from(refreshed["status"] == "updated"), SeqCst);
                        }
                        place.refresh(&server, &["--force"]).await["reason"].clone()
                    })
                })
                .collect();
            let began = Instant::now();
            while updates.load(SeqCst) < 4 {
                assert!(began.elapsed() < PATIENCE, "{} updates", updates.load(SeqCst));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let rolled = place.json(&["rollback", &of(1)]).await;
            assert_eq!(rolled["digest"], of(1));
            let right_after = place.current().await;
            over.store(true, SeqCst);
            for racer in racers {
                assert_eq!(racer.await.unwrap(), "pinned");
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
        let began = Instant::now();
        loop {
            let there = state.lock().unwrap().values["flagpost"].clone();
            if Snapshot::open(&there).unwrap().header().unwrap().pinned {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "the rollback wrote nothing");
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
