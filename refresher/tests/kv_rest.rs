//! What no local KV does as Cloudflare's does: accounts, tokens, rate limits, and limits of size.

mod support;

use std::process::Command;

use refresher::snapshot::digest;
use serde_json::{Value, json};
use support::kv::part;
use support::{Run, answer, definitions, finish, ok, refresh};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const TOKEN: &str = "cloudflareApiToken0123456789";

fn command(posthog: &MockServer, kv: &MockServer, store: &str) -> Command {
    let mut command = refresh(&posthog.uri(), store, &[]);
    command
        .env("CLOUDFLARE_API_BASE_URL", format!("{}/client/v4/", kv.uri()))
        .env("CLOUDFLARE_ACCOUNT_ID", "account")
        .env("CLOUDFLARE_API_TOKEN", format!("{TOKEN}\n"));
    command
}

async fn run(posthog: &MockServer, kv: &MockServer) -> Run {
    finish(command(posthog, kv, "kv:namespace/a/b")).await
}

fn failure(status: u16, code: u32, message: &str) -> ResponseTemplate {
    let errors = json!([{ "code": code, "message": message }]);
    ResponseTemplate::new(status).set_body_json(
        json!({ "success": false, "errors": errors, "messages": [], "result": null }),
    )
}

fn missing() -> ResponseTemplate {
    failure(404, 10009, "get: 'key not found'")
}

async fn servers() -> (MockServer, MockServer) {
    let (posthog, kv) = (MockServer::start().await, MockServer::start().await);
    answer(&posthog, ok(&definitions(2)).insert_header("ETag", "\"one\"")).await;
    (posthog, kv)
}

#[tokio::test]
async fn a_value_is_put_with_its_metadata_and_without_expiry() {
    let (posthog, kv) = servers().await;
    Mock::given(method("GET")).respond_with(missing()).mount(&kv).await;
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "success": true })))
        .mount(&kv)
        .await;
    let run = run(&posthog, &kv).await;
    assert_eq!((run.code, &run.json()["reason"]), (10, &"write-unverified".into()), "{run:?}");
    let requests = kv.received_requests().await.unwrap();
    let path = "/client/v4/accounts/account/storage/kv/namespaces/namespace/values/a%2Fb";
    for request in &requests {
        assert!(request.url.path().starts_with(path), "{request:?}");
        assert_eq!(request.url.query(), None);
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
    }
    let is_put = |request: &&Request| request.method == "PUT" && request.url.path() == path;
    let puts: Vec<_> = requests.iter().filter(is_put).collect();
    let [put] = puts.as_slice() else { panic!("{puts:?}") };
    let (header, stored) = support::open(part(&put.body, "value"));
    assert_eq!(stored, definitions(2));
    let metadata: Value = serde_json::from_slice(part(&put.body, "metadata")).unwrap();
    assert_eq!(
        metadata,
        json!({
            "digest": digest(definitions(2).as_bytes()),
            "etag": "\"one\"",
            "fetchedAt": header.fetched_at,
            "checkedAt": header.checked_at,
        })
    );
}

#[tokio::test]
async fn a_rate_limit_is_waited_for() {
    let (posthog, kv) = servers().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(429).insert_header("Retry-After", "1"))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&kv)
        .await;
    Mock::given(any()).respond_with(failure(500, 10001, "service unavailable")).mount(&kv).await;
    let began = std::time::Instant::now();
    let run = run(&posthog, &kv).await;
    assert_eq!(run.code, 9, "{run:?}");
    assert!(began.elapsed().as_secs_f64() >= 1.0);
    assert_eq!(kv.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_mistake_in_the_settings_is_no_empty_store() {
    let (posthog, kv) = servers().await;
    let rows = [
        (failure(404, 10013, "namespace not found"), "check the namespace id"),
        (failure(404, 7003, "could not route"), "CLOUDFLARE_ACCOUNT_ID"),
        (ResponseTemplate::new(404).set_body_string("404 Not Found"), "CLOUDFLARE_API_BASE_URL"),
        (failure(403, 10000, "Authentication error"), "Workers KV Storage: Edit"),
        (failure(401, 10000, "Authentication error"), "Workers KV Storage: Edit"),
        (failure(400, 6003, "Invalid request headers"), "CLOUDFLARE_API_TOKEN"),
    ];
    for (response, says) in rows {
        kv.reset().await;
        Mock::given(any()).respond_with(response).mount(&kv).await;
        let run = run(&posthog, &kv).await;
        assert_eq!((run.code, &run.json()["reason"]), (9, &"read-failed".into()), "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
        assert_eq!(kv.received_requests().await.unwrap().len(), 1, "{run:?}");
    }
}

#[tokio::test]
async fn a_value_beyond_the_limit_is_not_sent() {
    let (posthog, kv) = servers().await;
    Mock::given(method("GET")).respond_with(missing()).mount(&kv).await;
    let noise: String = (0..26u32 << 20).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    answer(&posthog, ok(&format!("{{\"flags\":[],\"x\":\"{noise}\"}}"))).await;
    let run = run(&posthog, &kv).await;
    assert_eq!((run.code, &run.json()["reason"]), (10, &"store-limit".into()), "{run:?}");
    assert!(run.stderr.contains("more than the 26214400 it takes"), "{run:?}");
    for request in kv.received_requests().await.unwrap() {
        let noted = request.method == "PUT" && request.url.path().ends_with(".history");
        assert!(request.method == "GET" || noted, "{}", request.url);
        assert!(request.body.len() < 10_000);
    }
}

#[tokio::test]
async fn wranglers_local_api_is_asked_without_account() {
    let (posthog, kv) = servers().await;
    Mock::given(any()).respond_with(missing()).mount(&kv).await;
    let mut command = command(&posthog, &kv, "kv:namespace");
    command.env("CLOUDFLARE_API_BASE_URL", format!("{}/cdn-cgi/explorer/api", kv.uri()));
    finish(command).await;
    let requests = kv.received_requests().await.unwrap();
    let path = "/cdn-cgi/explorer/api/storage/kv/namespaces/namespace/values/flagpost";
    assert_eq!(requests[0].url.path(), path);
}
