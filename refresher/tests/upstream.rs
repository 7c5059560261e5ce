//! What each answer of PostHog's makes of a store that is empty and of one that holds a snapshot.

mod support;

use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use support::{Folder, PERSONAL_KEY, PROJECT_KEY, Run, answer, definitions, finish, ok, refresh};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

async fn run(server: &MockServer, folder: &Folder, more: &[&str]) -> Run {
    finish(refresh(&server.uri(), &folder.store, more)).await
}

/// A server, and a folder that holds a snapshot of two flags with the etag `"one"`.
async fn with_snapshot() -> (MockServer, Folder) {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(2)).insert_header("ETag", "\"one\"")).await;
    let first = run(&server, &folder, &[]).await;
    assert_eq!(first.code, 0, "{first:?}");
    server.reset().await;
    (server, folder)
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

#[tokio::test]
async fn definitions_are_asked_for_as_posthog_node_asks() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1))).await;
    run(&server, &folder, &[]).await;
    let requests = requests(&server).await;
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(request.url.query(), Some(format!("token={PROJECT_KEY}&send_cohorts").as_str()));
    assert_eq!(request.headers["authorization"], format!("Bearer {PERSONAL_KEY}"));
    let agent = request.headers["user-agent"].to_str().unwrap();
    assert_eq!(agent, concat!("flagpost-refresher/", env!("CARGO_PKG_VERSION")));
    assert!(!request.headers.contains_key("if-none-match"));
}

#[tokio::test]
async fn new_definitions_are_stored_byte_for_byte() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    // White space and the order of members survive only if nothing writes the JSON anew.
    let body = definitions(3).replace("\"cohorts\":", "  \n\"z\":1.50, \"cohorts\" : ");
    answer(&server, ok(&body).insert_header("ETag", "W/\"one\"")).await;
    let run = run(&server, &folder, &[]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let (header, stored) = folder.open();
    assert_eq!(stored, body);
    assert_eq!(header.etag.as_deref(), Some("W/\"one\""));
    assert_eq!(header.fetched_at, header.checked_at);
    assert_eq!(header.upstream.unwrap().host, server.uri());
    let json = run.json();
    assert_eq!(json["status"], "updated");
    assert_eq!(
        (&json["flags"], &run.store()["written"], &json["attempts"]),
        (&3.into(), &true.into(), &1.into())
    );
    assert_eq!(run.store()["snapshot"]["digest"], header.digest);
}

#[tokio::test]
async fn compressed_definitions_are_stored_unpacked() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let body = definitions(100);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body.as_bytes()).unwrap();
    let response = ResponseTemplate::new(200)
        .set_body_bytes(gzip.finish().unwrap())
        .insert_header("Content-Encoding", "gzip");
    answer(&server, response).await;
    assert_eq!(run(&server, &folder, &[]).await.code, 0);
    assert_eq!(folder.open().1, body);
}

#[tokio::test]
async fn a_304_leaves_the_snapshot_as_it_is() {
    let (server, folder) = with_snapshot().await;
    let before = folder.bytes();
    answer(&server, ResponseTemplate::new(304)).await;
    let run = run(&server, &folder, &[]).await;
    assert_eq!((run.code, &run.json()["status"]), (0, &"unchanged".into()), "{run:?}");
    assert_eq!(run.store()["written"], false);
    assert_eq!(folder.bytes(), before);
    assert_eq!(requests(&server).await[0].headers["if-none-match"], "\"one\"");
}

#[tokio::test]
async fn the_same_definitions_again_are_not_written_again() {
    let (server, folder) = with_snapshot().await;
    let before = folder.bytes();
    answer(&server, ok(&definitions(2)).insert_header("ETag", "\"one\"")).await;
    let run = run(&server, &folder, &[]).await;
    assert_eq!((run.code, &run.json()["status"]), (0, &"unchanged".into()), "{run:?}");
    assert_eq!(folder.bytes(), before);
}

#[tokio::test]
async fn a_new_etag_for_the_same_definitions_is_kept() {
    let (server, folder) = with_snapshot().await;
    let (before, _) = folder.open();
    answer(&server, ok(&definitions(2)).insert_header("ETag", "\"two\"")).await;
    let run = run(&server, &folder, &["--heartbeat", "0"]).await;
    assert_eq!((run.code, &run.json()["status"]), (0, &"unchanged".into()), "{run:?}");
    let (after, _) = folder.open();
    assert_eq!(after.etag.as_deref(), Some("\"two\""));
    assert_eq!(after.fetched_at, before.fetched_at);
    assert!(after.checked_at > before.checked_at);
}

#[tokio::test]
async fn a_304_renews_checked_at_when_the_heartbeat_is_due() {
    let (server, folder) = with_snapshot().await;
    let (before, definitions) = folder.open();
    answer(&server, ResponseTemplate::new(304)).await;
    let run = run(&server, &folder, &["--heartbeat", "1ms"]).await;
    assert_eq!((run.code, &run.store()["written"]), (0, &true.into()), "{run:?}");
    let (after, same) = folder.open();
    assert_eq!(same, definitions);
    assert!(after.checked_at > before.checked_at);
    assert_eq!((after.fetched_at, after.etag), (before.fetched_at, before.etag));
}

#[tokio::test]
async fn a_heartbeat_of_0_never_writes() {
    let (server, folder) = with_snapshot().await;
    let before = folder.bytes();
    answer(&server, ResponseTemplate::new(304)).await;
    run(&server, &folder, &["--heartbeat", "0"]).await;
    assert_eq!(folder.bytes(), before);
}

#[tokio::test]
async fn an_etag_is_shown_only_to_the_project_that_gave_it() {
    let (server, folder) = with_snapshot().await;
    answer(&server, ok(&definitions(5))).await;
    let run = run(&server, &folder, &["--project-key", "phc_another"]).await;
    assert_eq!((run.code, &run.json()["status"]), (0, &"updated".into()), "{run:?}");
    assert!(!requests(&server).await[0].headers.contains_key("if-none-match"));
    let project = refresher::snapshot::digest(b"phc_another")[..23].to_owned();
    let upstream = flagpost_engine::snapshot::Upstream { host: server.uri(), project };
    assert_eq!(folder.open().0.upstream, Some(upstream));
}

#[tokio::test]
async fn a_damaged_snapshot_is_reported_and_replaced() {
    let (server, folder) = with_snapshot().await;
    let mut bytes = folder.bytes();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(folder.path(), bytes).unwrap();
    answer(&server, ok(&definitions(2)).insert_header("ETag", "\"one\"")).await;
    let run = run(&server, &folder, &[]).await;
    assert_eq!((run.code, &run.json()["status"]), (0, &"updated".into()), "{run:?}");
    assert!(run.stderr.contains("damaged"), "{run:?}");
    assert!(!requests(&server).await[0].headers.contains_key("if-none-match"));
    assert_eq!(folder.open().1, definitions(2));
}

#[tokio::test]
async fn one_bad_flag_does_not_spoil_the_others() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let body = definitions(3).replacen("{\"id\"", "17,{\"id\"", 1);
    answer(&server, ok(&body)).await;
    let run = run(&server, &folder, &["-v"]).await;
    assert_eq!((run.code, run.json()["problems"].as_array().unwrap().len()), (0, 1), "{run:?}");
    assert!(run.stderr.contains("flag number 1 is not an object"), "{run:?}");
    assert_eq!(folder.open().1, body);
}

#[tokio::test]
async fn an_empty_list_replaces_flags_only_when_allowed() {
    let (server, folder) = with_snapshot().await;
    let before = folder.bytes();
    answer(&server, ok(&definitions(0))).await;
    let refused = run(&server, &folder, &[]).await;
    assert_eq!((refused.code, &refused.json()["status"]), (8, &"stale".into()), "{refused:?}");
    assert_eq!(refused.json()["reason"], "empty-refused");
    assert!(refused.stderr.contains("--allow-empty"), "{refused:?}");
    assert_eq!(folder.bytes(), before);

    let allowed = run(&server, &folder, &["--allow-empty"]).await;
    assert_eq!((allowed.code, &allowed.json()["status"]), (0, &"empty".into()), "{allowed:?}");
    assert_eq!(folder.open().1, definitions(0));
}

#[tokio::test]
async fn a_passing_fault_is_tried_again() {
    let (server, folder) = with_snapshot().await;
    for status in [500, 503, 429] {
        answer(&server, ok(&definitions(status))).await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status as u16))
            .up_to_n_times(2)
            .with_priority(1)
            .mount(&server)
            .await;
        let run = run(&server, &folder, &[]).await;
        let json = run.json();
        assert_eq!(
            (run.code, &json["status"], &json["attempts"]),
            (0, &"updated".into(), &3.into())
        );
        assert!(run.stderr.contains("attempt 1 of 3 failed"), "{run:?}");
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_if_there_is_patience() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let seconds: fn() -> String = || "1".to_owned();
    // Dates have whole seconds: two to three of them from now on.
    let date = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    for value in [seconds, date] {
        answer(&server, ok(&definitions(1))).await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(429).insert_header("Retry-After", value()))
            .up_to_n_times(1)
            .with_priority(1)
            .mount(&server)
            .await;
        let began = Instant::now();
        let run = run(&server, &folder, &[]).await;
        assert_eq!((run.code, &run.json()["attempts"]), (0, &2.into()), "{run:?}");
        assert!(began.elapsed().as_secs_f64() >= 1.0, "waited {:?}", began.elapsed());
    }
    let long = ResponseTemplate::new(429).insert_header("Retry-After", "31");
    answer(&server, long).await;
    let run = run(&server, &folder, &[]).await;
    assert_eq!((run.code, &run.json()["attempts"]), (5, &1.into()), "{run:?}");
    assert!(run.stderr.contains("retry after 31 s"), "{run:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, folder) = with_snapshot().await;
    let elsewhere = MockServer::start().await;
    answer(&elsewhere, ok(&definitions(9))).await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/flags/definitions?token=x", elsewhere.uri());
        answer(&server, ResponseTemplate::new(status).insert_header("Location", target)).await;
        let run = run(&server, &folder, &[]).await;
        assert_eq!((run.code, &run.json()["reason"]), (6, &"unexpected-status".into()), "{run:?}");
        assert!(run.stderr.contains(&format!("redirect to {}:", elsewhere.uri())), "{run:?}");
    }
    assert_eq!(requests(&elsewhere).await.len(), 0, "the key went nowhere else");
}

#[tokio::test]
async fn no_connection_is_told_apart_by_its_cause() {
    let (server, folder) = with_snapshot().await;
    let before = folder.bytes();
    let encrypted = server.uri().replace("http:", "https:");
    let rows = [
        ("http://127.0.0.1:1", "refused"),
        ("https://no-such-host.invalid", "dns error"),
        (encrypted.as_str(), "tls: "),
    ];
    for (host, says) in rows {
        let run = finish(refresh(host, &folder.store, &[])).await;
        assert_eq!((run.code, &run.json()["reason"]), (7, &"fetch-failed".into()), "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
        assert!(run.stderr.contains(&format!("no answer from {host}: cannot connect")), "{run:?}");
        assert!(!run.output().contains("token="), "{run:?}");
        assert_eq!(folder.bytes(), before);
    }
}

#[tokio::test]
async fn a_proxy_is_not_told_what_is_for_this_machine() {
    let (server, proxy, folder) =
        (MockServer::start().await, MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1))).await;
    let mut command = refresh(&server.uri(), &folder.store, &[]);
    command
        .env("HTTP_PROXY", proxy.uri())
        .env("http_proxy", proxy.uri())
        .env("ALL_PROXY", proxy.uri());
    let run = finish(command).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(requests(&proxy).await.len(), 0);
}

#[tokio::test]
async fn at_most_200_bytes_of_a_body_are_shown_on_one_line() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let body = format!("{}\n\u{1b}[31m{}", "ü".repeat(60), "x".repeat(5000));
    answer(&server, ResponseTemplate::new(400).set_body_string(body)).await;
    let run = run(&server, &folder, &[]).await;
    let message = run.json()["message"].as_str().unwrap().to_owned();
    let start = message.find('ü').unwrap();
    let shown = &message[start..message.find('…').unwrap()];
    assert!(shown.len() <= 200, "{} bytes", shown.len());
    assert!(shown.chars().all(|c| !c.is_control()));
}
