//! Spans, as a collector receives them.
#![cfg(feature = "otel")]

mod support;

use std::time::{Duration, Instant};

use support::{Folder, PERSONAL_KEY, PROJECT_KEY, answer, definitions, finish, ok, refresh};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test]
async fn a_collector_receives_the_spans_of_a_run_and_no_secret() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let collector = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/traces"))
        .and(header("content-type", "application/x-protobuf"))
        .and(header("x-key", "collectorKey"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1..)
        .mount(&collector)
        .await;
    answer(&server, ok(&definitions(1))).await;
    let mut command = refresh(&server.uri(), &folder.store, &["-vv"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.uri());
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=collectorKey");
    command.env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test");
    let run = finish(command).await;
    assert_eq!(run.code, 0, "{run:?}");
    let bodies: Vec<u8> =
        collector.received_requests().await.unwrap().into_iter().flat_map(|r| r.body).collect();
    let text = String::from_utf8_lossy(&bodies).into_owned();
    for word in ["flagpost-refresher", "deployment.environment", "read", "ask", "write", "store"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    for secret in [PERSONAL_KEY, PROJECT_KEY, "token=", "Bearer", "collectorKey"] {
        assert!(!text.contains(secret), "{secret} in {text}");
        assert!(!run.output().contains(secret), "{run:?}");
    }
    collector.verify().await;
}

#[tokio::test]
async fn a_collector_that_is_away_or_slow_delays_the_end_a_little_and_changes_nothing_else() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1))).await;
    let slow = MockServer::start().await;
    let never = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(method("POST")).respond_with(never).mount(&slow).await;
    for endpoint in ["http://127.0.0.1:1".to_owned(), slow.uri()] {
        let mut command = refresh(&server.uri(), &folder.store, &[]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        let began = Instant::now();
        let run = finish(command).await;
        assert_eq!(run.code, 0, "{run:?}");
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn without_an_endpoint_and_when_switched_off_nothing_is_sent() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let collector = MockServer::start().await;
    answer(&server, ok(&definitions(1))).await;
    for (name, value) in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let mut command = refresh(&server.uri(), &folder.store, &[]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.uri()).env(name, value);
        assert_eq!(finish(command).await.code, 0);
    }
    let mut grpc = refresh(&server.uri(), &folder.store, &[]);
    grpc.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.uri());
    grpc.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let run = finish(grpc).await;
    assert!(run.code == 0 && run.stderr.contains("set it to http/protobuf"), "{run:?}");
    assert!(collector.received_requests().await.unwrap().is_empty());
}
