//! What the local Convex does not do: other deployments' keys, rate limits, faults of the network, and
//! answers that get lost.

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use refresher::http::Timeouts;
use refresher::retry::Patience;
use refresher::store::{self, ConvexSettings, Expected, Item, Settings, Store};
use serde_json::{Value, json};
use support::{Run, answer, definitions, finish, ok, refresh};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const SECRET: &str = "eyJ2MiI6ImRlcGxveUtleVNlY3JldCJ9";

fn key() -> String {
    format!("prod:happy-otter-123|{SECRET}")
}

fn command(posthog: &MockServer, store: &str) -> Command {
    let mut command = refresh(&posthog.uri(), store, &["--history", "0"]);
    command.env("CONVEX_DEPLOY_KEY", format!("{}\n", key()));
    command
}

async fn run(posthog: &MockServer, convex: &MockServer) -> Run {
    finish(command(posthog, &format!("convex:{}", convex.uri()))).await
}

async fn servers() -> (MockServer, MockServer) {
    let (posthog, convex) = (MockServer::start().await, MockServer::start().await);
    answer(&posthog, ok(&definitions(2))).await;
    (posthog, convex)
}

fn success(value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({ "status": "success", "value": value, "logLines": [] }))
}

/// What a function that failed answers.
fn failure(status: u16, message: &str) -> ResponseTemplate {
    let message = format!("[Request ID: 0123456789abcdef] Server Error\n{message}");
    ResponseTemplate::new(status)
        .set_body_json(json!({ "status": "error", "errorMessage": message }))
}

/// What Convex answers when it does not get as far as the function.
fn refusal(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "code": code, "message": message }))
}

fn committed(left: bool) -> ResponseTemplate {
    success(&json!({ "status": "committed", "left": left }))
}

/// An empty store: nothing to read, and every write is taken.
async fn empty(convex: &MockServer) {
    Mock::given(path("/api/query")).respond_with(success(&Value::Null)).mount(convex).await;
    Mock::given(path("/api/mutation"))
        .respond_with(|request: &Request| match &body(request)["path"] {
            function if function == "flagpost:stage" => success(&json!(true)),
            function if function == "flagpost:commit" => committed(false),
            function => failure(200, &format!("Could not find public function for {function}")),
        })
        .mount(convex)
        .await;
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64.decode(value["$bytes"].as_str().unwrap()).unwrap()
}

/// The calls of a function, as the arguments of each.
async fn calls(convex: &MockServer, function: &str) -> Vec<Value> {
    let requests = convex.received_requests().await.unwrap();
    let bodies = requests.iter().map(body).filter(|body| body["path"] == function);
    bodies.map(|body| body["args"].clone()).collect()
}

fn opened(convex: &MockServer, timeout: Duration) -> Box<dyn Store> {
    let settings = ConvexSettings {
        url: convex.uri(),
        name: "flagpost".to_owned(),
        deploy_key: key().into(),
        patience: Patience {
            retries: 2,
            delay: Duration::from_millis(5),
            max_delay: Duration::from_secs(2),
        },
        timeouts: Timeouts { connect: timeout, total: timeout },
    };
    store::open(&Settings::Convex(settings)).unwrap()
}

#[tokio::test]
async fn a_small_snapshot_is_one_mutation_with_the_deploy_key() {
    let (posthog, convex) = servers().await;
    empty(&convex).await;
    let run = run(&posthog, &convex).await;
    assert_eq!((run.code, &run.json()["reason"]), (10, &"write-unverified".into()), "{run:?}");
    for request in convex.received_requests().await.unwrap() {
        assert_eq!(request.method, "POST");
        assert_eq!(request.headers["authorization"], format!("Convex {}", key()));
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(body(&request)["format"], "convex_encoded_json");
    }
    assert_eq!(calls(&convex, "flagpost:read").await[0], json!({ "key": "flagpost", "from": 0.0 }));
    let commits = calls(&convex, "flagpost:commit").await;
    let snapshot = bytes(&commits[0]["bytes"]);
    assert_eq!(support::open(&snapshot).1, definitions(2));
    assert_eq!(commits[0]["size"], json!(snapshot.len() as f64));
    assert_eq!((&commits[0]["key"], &commits[0]["expected"]), (&"flagpost".into(), &Value::Null));
    assert!(commits[0].get("expected").is_some());
}

#[tokio::test]
async fn a_large_content_is_uploaded_in_documents_before_the_commit() {
    let convex = MockServer::start().await;
    empty(&convex).await;
    let large: Vec<u8> =
        (0..2_500_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let store = opened(&convex, Duration::from_secs(10));
    store.write(&Item::Current, &large, &Expected::Any).await.unwrap();
    let chunks = calls(&convex, "flagpost:stage").await;
    let parts: Vec<Vec<u8>> = chunks.iter().map(|chunk| bytes(&chunk["bytes"])).collect();
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [983_040, 983_040, 533_920]);
    assert!(parts.concat() == large);
    assert_eq!(chunks.iter().map(|chunk| &chunk["index"]).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
    let commits = calls(&convex, "flagpost:commit").await;
    assert_eq!(commits.len(), 1);
    assert!(commits[0].get("bytes").is_none() && commits[0].get("expected").is_none());
    assert!(chunks.iter().all(|chunk| chunk["version"] == commits[0]["version"]));
}

#[tokio::test]
async fn a_commit_is_made_again_under_the_same_name_and_another_write_has_another() {
    let convex = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(500))
        .up_to_n_times(1)
        .mount(&convex)
        .await;
    empty(&convex).await;
    let store = opened(&convex, Duration::from_secs(10));
    for _ in 0..2 {
        store.write(&Item::Lease, b"mine", &Expected::Absent).await.unwrap();
    }
    let commits = calls(&convex, "flagpost:commit").await;
    assert_eq!(commits.len(), 3);
    assert_eq!(commits[0], commits[1]);
    assert_ne!(commits[1]["version"], commits[2]["version"]);
}

#[tokio::test]
async fn a_read_begins_again_when_somebody_writes_meanwhile_and_ends_when_that_goes_on() {
    let convex = MockServer::start().await;
    let part = |version: usize, chunks: f64| {
        let pieces = [json!({ "$bytes": "AAAA" })];
        let version = version.to_string();
        success(
            &json!({ "version": version, "size": 3.0 * chunks, "chunks": chunks, "pieces": pieces }),
        )
    };
    let asked = AtomicUsize::new(0);
    Mock::given(path("/api/query"))
        .respond_with(move |_: &Request| match asked.fetch_add(1, SeqCst) {
            // One chunk of two, then another version; from its beginning it is whole.
            0 => part(1, 2.0),
            1..=3 => part(2, 2.0),
            n => part(n, 2.0),
        })
        .mount(&convex)
        .await;
    let store = opened(&convex, Duration::from_secs(10));
    let stored = store.read(&Item::Current).await.unwrap().unwrap();
    assert_eq!((stored.bytes, stored.version.0.as_str()), (vec![0; 6], "2"));
    let error = store.read(&Item::Current).await.unwrap_err().to_string();
    assert!(error.contains("was written 5 times while it was read"), "{error}");
}

#[tokio::test]
async fn leftovers_are_swept_as_long_as_there_are_some_and_it_does_no_harm_if_that_fails() {
    let convex = MockServer::start().await;
    let asked = AtomicUsize::new(0);
    Mock::given(any())
        .respond_with(move |request: &Request| match body(request)["path"] == "flagpost:sweep" {
            false => committed(true),
            true => match asked.fetch_add(1, SeqCst) {
                0..2 => success(&json!(true)),
                2 => success(&json!(false)),
                _ => failure(200, "Uncaught Error: no"),
            },
        })
        .mount(&convex)
        .await;
    let store = opened(&convex, Duration::from_secs(10));
    store.write(&Item::History, b"[]", &Expected::Any).await.unwrap();
    assert_eq!(calls(&convex, "flagpost:sweep").await.len(), 3);
    store.write(&Item::History, b"[]", &Expected::Any).await.unwrap();
    assert_eq!(calls(&convex, "flagpost:sweep").await.len(), 4);
}

#[tokio::test]
async fn a_mistake_in_the_settings_says_its_fix_and_is_not_repeated() {
    let (posthog, convex) = servers().await;
    let missing = "Could not find public function for 'flagpost:read'. Did you forget to run `npx convex dev` or `npx convex deploy`?";
    let arguments = "ArgumentValidationError: Value does not match validator.";
    let large = "Arguments for flagpost.js:read are too large (actual: 17 MiB, limit: 16 MiB)";
    let html = ResponseTemplate::new(200).set_body_string("<!doctype html><title>Sign in</title>");
    let rows = [
        (refusal(403, "BadDeployKey", "invalid for this deployment"), "CONVEX_DEPLOY_KEY"),
        (refusal(401, "Unauthenticated", "no"), "may run internal functions"),
        (
            refusal(400, "InvalidHeaderFailure", "Invalid authentication header"),
            "CONVEX_DEPLOY_KEY",
        ),
        (refusal(404, "NotFound", "no"), "https://NAME.convex.cloud"),
        (ResponseTemplate::new(413), "smaller requests"),
        (failure(200, missing), "add convex/flagpost.ts"),
        (failure(560, missing), "npx convex deploy"),
        (failure(200, arguments), "of another version"),
        (failure(200, large), "lower limits than Convex documents"),
        (failure(200, "Uncaught Error: some reason"), "some reason"),
        (html, "none of flagpost's"),
        (
            success(
                &json!({ "version": "v", "size": 4.0, "chunks": 1.0, "pieces": [{ "$bytes": "AAAA" }] }),
            ),
            "none of flagpost's",
        ),
    ];
    for (response, says) in rows {
        convex.reset().await;
        Mock::given(any()).respond_with(response).mount(&convex).await;
        let run = run(&posthog, &convex).await;
        assert_eq!((run.code, &run.json()["reason"]), (9, &"read-failed".into()), "{run:?}");
        assert!(run.stderr.contains(says), "{says} in {run:?}");
        assert_eq!(convex.received_requests().await.unwrap().len(), 1, "{run:?}");
    }
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_an_overload_is_tried_again() {
    let (posthog, convex) = servers().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(429).insert_header("Retry-After", "1"))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&convex)
        .await;
    let code = "OptimisticConcurrencyControlFailure";
    Mock::given(any()).respond_with(refusal(503, code, "changed meanwhile")).mount(&convex).await;
    let began = std::time::Instant::now();
    let run = run(&posthog, &convex).await;
    assert_eq!(run.code, 9, "{run:?}");
    assert!(began.elapsed().as_secs_f64() >= 1.0);
    assert!(run.stderr.contains(code), "{run:?}");
    assert_eq!(convex.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_asked_for_again() {
    let convex = MockServer::start().await;
    let slow = success(&Value::Null).set_delay(Duration::from_secs(5));
    Mock::given(any()).respond_with(slow).mount(&convex).await;
    let store = opened(&convex, Duration::from_millis(500));
    let error = store.read(&Item::Current).await.unwrap_err().to_string();
    assert!(error.contains("no answer from convex: timed out"), "{error}");
    assert_eq!(convex.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_deployment_that_echoes_the_key_is_not_repeated() {
    let (posthog, convex) = servers().await;
    for status in [200, 400, 403, 404, 500, 560] {
        for padding in [0, 100, 150, 190] {
            convex.reset().await;
            Mock::given(method("POST"))
                .respond_with(move |request: &Request| {
                    let padding = ".".repeat(padding);
                    failure(status, &format!("{padding}{:?} {SECRET}", request.headers))
                })
                .mount(&convex)
                .await;
            let mut command = command(&posthog, &format!("convex:{}", convex.uri()));
            command.args(["-vvv", "--retry-delay", "1ms"]).env("RUST_LOG", "trace");
            let run = finish(command).await;
            assert_eq!(run.code, 9, "{run:?}");
            assert!(!run.output().contains(&SECRET[..SECRET.len() - 4]), "{run:?}");
        }
    }
}

#[tokio::test]
async fn the_address_and_the_key_are_checked_before_anything_is_asked() {
    let (posthog, convex) = servers().await;
    let rows = [
        ("convex:", "set CONVEX_URL"),
        ("convex:#name", "set CONVEX_URL"),
        ("convex:happy-otter-123", "is not an address"),
        ("convex:http://happy-otter-123.convex.cloud", "plain http"),
        ("convex:https://happy-otter-123.convex.site", "https://NAME.convex.cloud"),
        ("convex:https://prod:secret@happy-otter-123.convex.cloud", "user name or password"),
    ];
    for (store, says) in rows {
        let run = finish(command(&posthog, store)).await;
        assert!(run.code == 2 && run.stderr.contains(says), "{says} in {run:?}");
    }
    let store = format!("convex:{}", convex.uri());
    let mut without = command(&posthog, &store);
    without.env_remove("CONVEX_DEPLOY_KEY");
    let run = finish(without).await;
    assert!(run.code == 2 && run.stderr.contains("--convex-deploy-key-file"), "{run:?}");
    let mut argument = command(&posthog, &store);
    argument.args(["--convex-deploy-key", &key()]);
    let run = finish(argument).await;
    assert!(run.code == 2 && !run.output().contains(SECRET), "{run:?}");
    assert_eq!(convex.received_requests().await.unwrap().len(), 0);

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", key())).unwrap();
    empty(&convex).await;
    let mut by_file = command(&posthog, "convex:#web");
    by_file.env_remove("CONVEX_DEPLOY_KEY").env("CONVEX_URL", format!("{}/", convex.uri()));
    by_file.arg("--convex-deploy-key-file").arg(file.path());
    let run = finish(by_file).await;
    assert_eq!(run.code, 10, "{run:?}");
    assert_eq!(calls(&convex, "flagpost:commit").await[0]["key"], "web");
}
