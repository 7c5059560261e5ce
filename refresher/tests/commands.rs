//! The commands that look at stores, run as programs.

mod support;

use std::fs;

use refresher::clock::{Clock, SystemClock, rfc3339};
use refresher::snapshot::{Origin, digest, sealed};
use serde_json::{Value, json};
use support::place::{Place, of, serve};
use support::{
    Folder, PERSONAL_KEY, PROJECT_KEY, answer, command, definitions, finish, ok, refresh,
};
use wiremock::{MockServer, ResponseTemplate};

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
    // A finding that weighs more takes the exit code, and nothing else.
    let origin = Origin { checked_at: "2020-01-01T00:00:00.000Z".to_owned(), ..Origin::default() };
    fs::write(folder.path(), sealed(b"{\"flags\":7}", origin).unwrap()).unwrap();
    let run = place.run(&["status", "--max-age", "24h", "--json"]).await;
    assert_eq!((run.code, &run.store()["tooOld"]), (8, &json!(true)), "{run:?}");

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

    let flags = "{\"flags\":[7,{\"key\":\"\u{202e}on\",\"active\":true},{\"key\":\"off\"}]}";
    fs::write(&odd, sealed(flags.as_bytes(), Origin::default()).unwrap()).unwrap();
    let arguments = ["inspect", odd.to_str().unwrap()];
    let rows = place.json(&arguments).await["flags"].clone();
    let active: Vec<_> = rows.as_array().unwrap().iter().map(|flag| &flag["active"]).collect();
    assert_eq!(active, [false, true, false], "what is no flag is not switched on: {rows}");
    let run = place.run(&arguments).await;
    assert!(run.stdout.contains("● \u{fffd}on") && !run.stdout.contains('\u{202e}'), "{run:?}");
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
    // What comes on standard input comes once, however many stores it is compared with.
    fs::copy(folder.path(), folder.folder.path().join("too.snapshot")).unwrap();
    let other = format!("{}#too", folder.store);
    let mut both = command(["diff", "-", "--json", "--store", &folder.store, "--store", &other]);
    both.stdin(fs::File::open(&file).unwrap());
    let run = finish(both).await;
    assert_eq!(run.code, 0, "{run:?}");
    for page in run.json()["stores"].as_array().unwrap() {
        assert_eq!(page["changes"]["removed"][0]["key"], "flag-3", "{run:?}");
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
