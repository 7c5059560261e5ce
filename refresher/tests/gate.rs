//! The publish gate, what a filter leaves out, and what a lease and a pin keep out.

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use support::{Folder, Run, answer, definitions, finish, ok, refresh, refresh_plainly};
use wiremock::{MockServer, ResponseTemplate};

async fn run(server: &MockServer, folder: &Folder, more: &[&str]) -> Run {
    finish(refresh(&server.uri(), &folder.store, more)).await
}

async fn with_flags(flags: usize) -> (MockServer, Folder) {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(flags)).insert_header("ETag", "\"first\"")).await;
    assert_eq!(run(&server, &folder, &[]).await.code, 0);
    server.reset().await;
    (server, folder)
}

#[tokio::test]
async fn a_mass_deletion_is_refused_until_it_is_forced() {
    let (server, folder) = with_flags(20).await;
    let before = folder.bytes();
    answer(&server, ok(&definitions(9))).await;
    let refused = run(&server, &folder, &[]).await;
    assert_eq!((refused.code, &refused.json()["status"]), (8, &"stale".into()), "{refused:?}");
    assert_eq!(refused.json()["reason"], "mass-deletion");
    for says in ["lacks 11 flags of the 20", "55 %", "flag-9, flag-10", "…", "--force"] {
        assert!(refused.stderr.contains(says), "{says}: {refused:?}");
    }
    assert_eq!(folder.bytes(), before);
    let raised = run(&server, &folder, &["--max-removed", "60%"]).await;
    assert_eq!((raised.code, folder.open().1), (0, definitions(9)), "{raised:?}");
    answer(&server, ok(&definitions(1))).await;
    assert_eq!(run(&server, &folder, &[]).await.code, 8);
    let forced = run(&server, &folder, &["--force"]).await;
    assert_eq!((forced.code, folder.open().1), (0, definitions(1)), "{forced:?}");
}

#[tokio::test]
async fn a_few_flags_may_always_vanish() {
    let (server, folder) = with_flags(3).await;
    answer(&server, ok(&definitions(1))).await;
    let run = run(&server, &folder, &[]).await;
    assert_eq!((run.code, &run.json()["status"]), (0, &"updated".into()), "{run:?}");
    assert_eq!(folder.open().1, definitions(1));
}

#[tokio::test]
async fn what_changed_is_said_to_people_and_machines() {
    let (server, folder) = with_flags(4).await;
    let body =
        definitions(3).replacen("\"rollout_percentage\":100", "\"rollout_percentage\":10", 1);
    answer(&server, ok(&body)).await;
    let summary = folder.folder.path().join("summary.md");
    let told = run(&server, &folder, &["--summary", summary.to_str().unwrap()]).await;
    let changes = told.store()["changes"].to_string();
    assert!(changes.contains("flag-0") && changes.contains("flag-3"), "{changes}");
    let page = fs::read_to_string(&summary).unwrap();
    for says in ["**updated**", "flag-3", "100% → 10%"] {
        assert!(page.contains(says), "{says} in {page}");
    }
    answer(&server, ok(&definitions(4))).await;
    let run = finish(refresh_plainly(&server.uri(), &folder.store, &[])).await;
    assert!(run.stdout.contains("\n  ~ flag-0: rollout 10% -> 100%"), "{}", run.stdout);
    assert!(run.stdout.contains("\n  + flag-3"), "{}", run.stdout);
}

#[tokio::test]
async fn flags_that_only_the_server_can_decide_are_named_with_their_reason() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let body = json!({
        "flags": [
            { "id": 1, "key": "sticky", "active": true, "ensure_experience_continuity": true, "filters": {} },
            { "id": 2, "key": "plan", "active": true, "filters": { "groups": [
                { "properties": [{ "key": "plan", "value": "pro", "operator": "exact", "type": "person" }] }
            ] } },
        ],
    });
    answer(&server, ok(&body.to_string())).await;
    let told = run(&server, &folder, &[]).await;
    let expected = json!([{ "key": "sticky", "reason": "experience_continuity" }]);
    assert_eq!(told.json()["undecidable"], expected);
    let plain = refresh_plainly(&server.uri(), &Folder::new().store, &[]);
    let says = "1 flag only PostHog's server can decide: sticky (experience_continuity)";
    let shown = finish(plain).await;
    assert!(shown.stdout.contains(says), "{shown:?}");
}

fn tagged() -> String {
    let flag = |id: u32, key: &str, contexts: Value, runtime: &str| {
        json!({ "id": id, "key": key, "name": format!("Name of {key}"), "active": true,
            "evaluation_contexts": contexts, "evaluation_runtime": runtime,
            "filters": { "groups": [{ "properties": [], "rollout_percentage": 100 }] } })
    };
    json!({ "flags": [
        flag(1, "web", json!(["web"]), "all"),
        flag(2, "api", json!(["api"]), "server"),
        flag(3, "app", json!(["web", "app"]), "client"),
    ] })
    .to_string()
}

fn keys(folder: &Folder) -> BTreeSet<String> {
    let definitions: Value = serde_json::from_str(&folder.open().1).unwrap();
    let flags = definitions["flags"].as_array().unwrap();
    flags.iter().map(|flag| flag["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_filter_decides_what_is_stored_and_another_filter_asks_anew() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&tagged()).insert_header("ETag", "\"one\"")).await;
    let rows: [(&[&str], &[&str], Option<&str>); 4] = [
        (&["--only-tags", "web,mobile"], &["web", "app"], None),
        (&["--only-tags", "web,mobile"], &["web", "app"], Some("\"one\"")),
        (&["--runtime", "server", "--drop-names"], &["web", "api"], None),
        (&[], &["web", "api", "app"], None),
    ];
    for (options, stored, etag) in rows {
        let asked_before = server.received_requests().await.unwrap().len();
        let run = run(&server, &folder, options).await;
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(keys(&folder), stored.iter().map(|key| (*key).to_owned()).collect());
        let requests = server.received_requests().await.unwrap();
        let shown = requests[asked_before].headers.get("if-none-match");
        assert_eq!(shown.map(|etag| etag.to_str().unwrap()), etag, "{options:?}");
        let names = folder.open().1.contains("Name of");
        assert_eq!(names, !options.contains(&"--drop-names"));
    }
    assert_eq!(folder.open().1, tagged(), "without a filter it is what PostHog sent");
}

#[tokio::test]
async fn what_posthog_sent_is_judged_before_it_is_filtered() {
    let (server, folder) = with_flags(2).await;
    let before = folder.bytes();
    answer(&server, ok("{\"flags\":7}")).await;
    let run = run(&server, &folder, &["--only-tags", "web"]).await;
    assert_eq!((run.code, &run.json()["reason"]), (8, &"invalid-shape".into()), "{run:?}");
    assert_eq!(folder.bytes(), before);
}

#[tokio::test]
async fn a_lease_keeps_others_out_until_it_is_given_back_or_ends() {
    let (server, folder) = with_flags(2).await;
    answer(&server, ok(&definitions(3))).await;
    let lease = folder.folder.path().join("flags/lease.json");
    let held = |until: &str| json!({ "owner": "another", "expiresAt": until }).to_string();
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(20);
    fs::write(&lease, held(&soon.to_string())).unwrap();
    let kept_out = run(&server, &folder, &["--lease", "30s"]).await;
    assert_eq!((kept_out.code, &kept_out.json()["reason"]), (0, &"leased".into()), "{kept_out:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), 0, "posthog is not asked");
    assert_eq!(folder.open().1, definitions(2));
    let ended = ["2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z", "never"];
    for (flags, ended) in ended.into_iter().enumerate() {
        answer(&server, ok(&definitions(flags + 3))).await;
        fs::write(&lease, held(ended)).unwrap();
        let run = run(&server, &folder, &["--lease", "30s", "--force"]).await;
        assert_eq!((run.code, &run.json()["status"]), (0, &"updated".into()), "{ended}: {run:?}");
        assert!(!lease.exists(), "given back");
    }
}

#[tokio::test]
async fn a_pinned_snapshot_is_left_alone_and_posthog_not_asked() {
    let (server, folder) = with_flags(2).await;
    let version = refresher::store::Version(String::new());
    let stored = refresher::store::Stored { bytes: folder.bytes(), version };
    let held = refresher::snapshot::Held::open(stored).unwrap();
    fs::write(folder.path(), held.pinned(true).unwrap()).unwrap();
    let before = folder.bytes();
    answer(&server, ok(&definitions(3))).await;
    let run = run(&server, &folder, &["--force"]).await;
    assert_eq!((run.code, &run.json()["status"]), (0, &"skipped".into()), "{run:?}");
    assert_eq!(run.json()["reason"], "pinned");
    assert_eq!(folder.bytes(), before);
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn versions_are_kept_up_to_a_limit_and_the_list_names_them() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    for flags in 1..=6 {
        answer(&server, ok(&definitions(flags))).await;
        assert_eq!(run(&server, &folder, &["--history", "4"]).await.code, 0);
    }
    let list = fs::read(folder.folder.path().join("flags/history.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let flags: Vec<_> =
        list["versions"].as_array().unwrap().iter().map(|v| v["flags"].clone()).collect();
    assert_eq!(flags, [6, 5, 4, 3]);
    let files = support::names(&folder.folder.path().join("flags/versions"));
    assert_eq!(files.len(), 4, "{files:?}");
    for version in list["versions"].as_array().unwrap() {
        let hex = version["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
        let path = folder.folder.path().join(format!("flags/versions/{hex}.snapshot"));
        support::open(&fs::read(path).unwrap());
    }
    let none = Folder::new();
    assert_eq!(run(&server, &none, &["--history", "0"]).await.code, 0);
    assert_eq!(none.names(), [".flags.snapshot.lock", "flags.snapshot"]);
}

#[tokio::test]
async fn a_failure_is_noted_once_for_as_long_as_it_lasts() {
    let (server, folder) = with_flags(2).await;
    let path = folder.folder.path().join("flags/history.json");
    let noted = || {
        let list: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        (
            list["lastError"]["reason"].clone(),
            list["lastError"]["at"].clone(),
            list["versions"].clone(),
        )
    };
    answer(&server, ResponseTemplate::new(401)).await;
    run(&server, &folder, &[]).await;
    let first = noted();
    assert_eq!((&first.0, first.2.as_array().unwrap().len()), (&"auth".into(), 1));
    run(&server, &folder, &[]).await;
    assert_eq!(noted(), first, "the same failure again writes nothing");
    answer(&server, ResponseTemplate::new(402)).await;
    run(&server, &folder, &[]).await;
    assert_eq!(noted().0, "quota");
}
