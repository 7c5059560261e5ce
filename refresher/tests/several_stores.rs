//! One run, several stores: one question to PostHog, and every store on its own.

mod support;

use std::fs;
use std::process::Command;

use serde_json::Value;
use support::{Folder, Run, answer, definitions, finish, ok, refresh, s3};
use wiremock::{MockServer, ResponseTemplate};

fn both(server: &MockServer, a: &str, b: &str, more: &[&str]) -> Command {
    refresh(&server.uri(), a, &[&["--store", b], more].concat())
}

/// `status` of each store.
fn statuses(run: &Run) -> Vec<String> {
    let stores = run.json()["stores"].as_array().unwrap().clone();
    stores.iter().map(|store| store["status"].as_str().unwrap().to_owned()).collect()
}

async fn asked(server: &MockServer) -> Vec<Option<String>> {
    let requests = server.received_requests().await.unwrap();
    let etag = |request: &wiremock::Request| {
        request.headers.get("if-none-match").map(|etag| etag.to_str().unwrap().to_owned())
    };
    requests.iter().map(etag).collect()
}

#[tokio::test]
async fn all_stores_are_brought_up_to_date_with_one_question() {
    let (server, a, b) = (MockServer::start().await, Folder::new(), Folder::new());
    answer(&server, ok(&definitions(3)).insert_header("ETag", "\"3\"")).await;
    let run = finish(both(&server, &a.store, &b.store, &[])).await;
    assert_eq!((run.code, statuses(&run)), (0, vec!["updated".to_owned(); 2]), "{run:?}");
    assert_eq!((a.open().1, b.open().1), (definitions(3), definitions(3)));
    assert_eq!(asked(&server).await, [None]);
    assert_eq!(run.json()["status"], "updated");
    assert_eq!(run.json()["flags"], 3);
}

#[tokio::test]
async fn definitions_that_a_304_confirms_in_one_store_are_copied_to_the_others() {
    let (server, a, b) = (MockServer::start().await, Folder::new(), Folder::new());
    answer(&server, ok(&definitions(3)).insert_header("ETag", "\"3\"")).await;
    assert_eq!(finish(refresh(&server.uri(), &a.store, &[])).await.code, 0);
    answer(&server, ResponseTemplate::new(304)).await;
    let run = finish(both(&server, &a.store, &b.store, &[])).await;
    assert_eq!((run.code, statuses(&run)), (0, vec!["unchanged".into(), "updated".into()]));
    assert_eq!(asked(&server).await, [Some("\"3\"".to_owned())]);
    let ((first, _), (second, copied)) = (a.open(), b.open());
    assert_eq!(copied, definitions(3));
    assert_eq!((first.etag, first.fetched_at), (second.etag, second.fetched_at));
    // The etag of the newest is shown when they differ.
    answer(&server, ok(&definitions(4)).insert_header("ETag", "\"4\"")).await;
    assert_eq!(finish(refresh(&server.uri(), &b.store, &[])).await.code, 0);
    answer(&server, ResponseTemplate::new(304)).await;
    let run = finish(both(&server, &a.store, &b.store, &[])).await;
    assert_eq!((run.code, statuses(&run)), (0, vec!["updated".into(), "unchanged".into()]));
    assert_eq!(asked(&server).await, [Some("\"4\"".to_owned())]);
    assert_eq!(a.open().1, definitions(4));
}

#[tokio::test]
async fn a_store_that_fails_does_not_stop_the_others() {
    let (server, a, b) = (MockServer::start().await, Folder::new(), Folder::new());
    fs::create_dir(a.path()).unwrap();
    answer(&server, ok(&definitions(2)).insert_header("ETag", "\"2\"")).await;
    for _ in 0..2 {
        let run = finish(both(&server, &a.store, &b.store, &[])).await;
        assert_eq!((run.code, &run.json()["reason"]), (12, &"partial".into()), "{run:?}");
        assert_eq!(run.json()["stores"][0]["reason"], "read-failed");
        assert!(run.stderr.contains("file:") && run.stderr.contains("cannot read"), "{run:?}");
        assert_eq!(b.open().1, definitions(2));
    }
    let run = finish(both(&server, &a.store, &a.store.replace("file:", "file://"), &[])).await;
    assert_eq!(run.code, 9, "all fail: {run:?}");
}

#[tokio::test]
async fn a_fault_upstream_keeps_what_every_store_holds() {
    let (server, a, b) = (MockServer::start().await, Folder::new(), Folder::new());
    answer(&server, ok(&definitions(2))).await;
    assert_eq!(finish(both(&server, &a.store, &b.store, &[])).await.code, 0);
    let before = (a.bytes(), b.bytes());
    answer(&server, ResponseTemplate::new(401)).await;
    let run = finish(both(&server, &a.store, &b.store, &[])).await;
    assert_eq!((run.code, statuses(&run)), (3, vec!["error".to_owned(); 2]), "{run:?}");
    assert_eq!((a.bytes(), b.bytes()), before);
}

#[tokio::test]
async fn stores_of_different_kinds_hold_the_same() {
    let (server, a, bucket) = (MockServer::start().await, Folder::new(), s3::start().await);
    answer(&server, ok(&definitions(5)).insert_header("ETag", "\"5\"")).await;
    let address = format!("s3://{}/flags", s3::BUCKET);
    let run = |more: &[&str]| {
        let mut command = both(&server, &a.store, &address, more);
        command.envs(s3::environment(&bucket));
        finish(command)
    };
    let first = run(&[]).await;
    assert_eq!((first.code, statuses(&first)), (0, vec!["updated".to_owned(); 2]), "{first:?}");
    let digests = |run: &Run| -> Vec<Value> {
        let stores = run.json()["stores"].as_array().unwrap().clone();
        stores.iter().map(|store| store["snapshot"]["digest"].clone()).collect()
    };
    let digests = digests(&first);
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test]
async fn stores_may_come_from_the_environment_and_none_twice() {
    let (server, a, b) = (MockServer::start().await, Folder::new(), Folder::new());
    answer(&server, ok(&definitions(1))).await;
    let spaced = format!("{}/a directory", a.store);
    let mut command = support::command(["run", "--json", "--host", &server.uri()]);
    command
        .env("POSTHOG_PROJECT_KEY", support::PROJECT_KEY)
        .env("POSTHOG_PERSONAL_API_KEY", support::PERSONAL_KEY)
        .env("FLAGPOST_STORE", format!("{spaced}\n  {}\n", b.store));
    let run = finish(command).await;
    assert_eq!((run.code, statuses(&run)), (0, vec!["updated".to_owned(); 2]), "{run:?}");
    assert!(a.folder.path().join("a directory/flags.snapshot").exists() && b.path().exists());
    let twice = finish(both(&server, &a.store, &a.store, &[])).await;
    assert_eq!(twice.code, 2, "{twice:?}");
    assert!(twice.stderr.contains("place 2 was given before"), "{twice:?}");
}
