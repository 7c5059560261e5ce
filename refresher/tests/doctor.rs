//! `refresher doctor` beside what can be wrong.

mod support;

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use refresher::store::Item;
use serde_json::Value;
use support::kv::Kv;
use support::{
    Folder, PERSONAL_KEY, PROJECT_KEY, Run, answer, command, definitions, finish, ok, opened,
    refresh, s3,
};
use wiremock::matchers::{any, header, method};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

fn doctor(host: &str, store: &str, more: &[&str]) -> Command {
    let mut command = command(["doctor", "--host", host, "--store", store, "--retry-delay", "1ms"]);
    command.args(more).env("POSTHOG_PROJECT_KEY", PROJECT_KEY);
    command.env("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY);
    command
}

async fn healthy(server: &MockServer) {
    answer(server, ok(&definitions(2)).insert_header("ETag", "\"e\"")).await;
    Mock::given(header("If-None-Match", "\"e\""))
        .respond_with(ResponseTemplate::new(304))
        .with_priority(1)
        .mount(server)
        .await;
}

/// The line about something.
fn line<'a>(run: &'a Run, about: &str) -> &'a str {
    let is =
        |line: &&str| line.chars().skip(2).collect::<String>().starts_with(&format!("{about} "));
    run.stdout.lines().find(is).unwrap_or_else(|| panic!("no {about} in {run:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_nothing_is_wrong_and_nothing_is_left() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let (bucket, kv) = (s3::start().await, Kv::start().await);
    healthy(&server).await;
    for store in [folder.store.as_str(), "s3://flags/a/b", "kv:ns"] {
        let with = |mut command: Command| {
            command.envs(s3::environment(&bucket)).envs(kv.environment());
            command
        };
        let empty = finish(with(doctor(&server.uri(), store, &[]))).await;
        assert_eq!(empty.code, 0, "{empty:?}");
        assert!(empty.stdout.contains("nothing is stored yet"), "{empty:?}");
        assert_eq!(finish(with(refresh(&server.uri(), store, &[]))).await.code, 0);
        let before = (folder.path().exists().then(|| folder.bytes()), kv.value("flagpost"));
        let run = finish(with(doctor(&server.uri(), store, &[]))).await;
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.ends_with("nothing is wrong\n") && !run.stdout.contains('✗'), "{run:?}");
        for about in [
            "host",
            "project key",
            "secret key",
            "dns",
            "tcp",
            "http",
            "clock",
            "definitions",
            "etag",
            "store",
            "snapshot",
            "writable",
            "conditional",
        ] {
            let mark = if store == "kv:ns" && about == "conditional" { "! " } else { "✓ " };
            assert!(line(&run, about).starts_with(mark), "{about}: {run:?}");
        }
        let after = (folder.path().exists().then(|| folder.bytes()), kv.value("flagpost"));
        assert_eq!(before, after);
    }
    assert!(!folder.folder.path().join("flags/probe").exists());
    let keys: Vec<_> = kv.state.lock().unwrap().values.keys().cloned().collect();
    assert!(keys.contains(&"flagpost".to_owned()), "{keys:?}");
    assert!(!keys.iter().any(|key| key.contains("probe")), "{keys:?}");
    let in_bucket = opened("s3://flags/a/b", &s3::environment(&bucket).into());
    assert!(in_bucket.read(&Item::Current).await.unwrap().is_some());
    assert_eq!(in_bucket.read(&Item::Probe).await.unwrap(), None);
}

#[tokio::test]
async fn each_answer_of_posthog_comes_with_its_fix() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    for (status, body, code, fix) in [
        (401, "", 3, "check that the personal or secret API key is right"),
        (402, "", 4, "see the project's billing limits"),
        (403, "", 3, "give the key the scope feature_flag:read"),
        (404, "", 6, "check the host, https://us.i.posthog.com"),
        (429, "", 5, "raise --interval"),
        (500, "", 6, "https://status.posthog.com"),
        (503, "Required data not found in cache", 6, "make a flag, or wait"),
        (304, "", 6, "a cache is in between, pass it by"),
        (301, "", 6, "set the host to it if it is right"),
        (418, "", 6, "check that the host is posthog's"),
        (200, "<html>", 8, "check that the host is posthog's"),
    ] {
        answer(&server, ResponseTemplate::new(status).set_body_string(body)).await;
        let run = finish(doctor(&server.uri(), &folder.store, &[])).await;
        assert_eq!(run.code, code, "{status}: {run:?}");
        let line = line(&run, "definitions");
        assert!(line.starts_with("✗ ") && line.contains(fix), "{status}: {line}");
        assert!(run.stdout.contains("✓ writable"), "the store is looked at nevertheless: {run:?}");
    }
}

#[tokio::test]
async fn an_etag_that_is_not_honoured_is_found() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(2))).await;
    let run = finish(doctor(&server.uri(), &folder.store, &[])).await;
    assert!(run.code == 0 && line(&run, "etag").starts_with("! "), "{run:?}");
    answer(&server, ok(&definitions(2)).insert_header("ETag", "\"e\"")).await;
    let run = finish(doctor(&server.uri(), &folder.store, &[])).await;
    assert!(run.code == 6 && line(&run, "etag").contains("not honoured"), "{run:?}");
    answer(&server, ok(&definitions(0)).insert_header("ETag", "\"e\"")).await;
    let run = finish(doctor(&server.uri(), &folder.store, &[])).await;
    assert!(line(&run, "definitions").starts_with("! "), "{run:?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    let folder = Folder::new();
    for (seconds, back, mark, code, says) in [
        (0, true, "✓ ", 0, "agrees"),
        (120, true, "! ", 0, "s ahead of posthog's"),
        (120, false, "! ", 0, "s behind posthog's"),
        (3600, true, "✗ ", 1, "S3 refuses"),
    ] {
        let server = MockServer::start().await;
        let apart = Duration::from_secs(seconds);
        let date = if back { SystemTime::now() - apart } else { SystemTime::now() + apart };
        Mock::given(method("HEAD"))
            .respond_with(
                ResponseTemplate::new(200)
                    .insert_header("Date", httpdate::fmt_http_date(date).as_str()),
            )
            .mount(&server)
            .await;
        Mock::given(method("GET")).respond_with(ok(&definitions(1))).mount(&server).await;
        let run = finish(doctor(&server.uri(), &folder.store, &[])).await;
        let line = line(&run, "clock");
        assert!(run.code == code && line.starts_with(mark) && line.contains(says), "{run:?}");
    }
}

#[tokio::test]
async fn many_things_at_once_are_all_told() {
    let mut command = command(["doctor", "--store", "file:/dev/null/x", "--store", "redis:x"]);
    command.args([
        "--store",
        "kv:x",
        "--store",
        "s3:///k",
        "--host",
        "https://no-such-host.invalid",
    ]);
    command.env("POSTHOG_PROJECT_KEY", PERSONAL_KEY).env("POSTHOG_PERSONAL_API_KEY", PROJECT_KEY);
    let run = finish(command).await;
    assert_eq!(run.code, 2, "{run:?}");
    for says in [
        "✗ project key    the project key is a secret key",
        "✗ secret key     the personal API key is a project key",
        "✗ dns            no-such-host.invalid: ",
        "✗ readable       cannot read /dev/null/x",
        "✗ writable       cannot make the directory",
        "✗ store          the store's address",
        "✗ store          no cloudflare account",
        "✗ store          s3:// names no bucket",
        "things wrong, see ✗",
    ] {
        assert!(run.stdout.contains(says), "{says} in {}", run.stdout);
    }
    let folder = Folder::new();
    let refused = finish(doctor("http://127.0.0.1:1", &folder.store, &["--json"])).await;
    assert_eq!((refused.code, &refused.json()["exitCode"]), (7, &7.into()), "{refused:?}");
    let checks = refused.json()["checks"].clone();
    let tcp = checks.as_array().unwrap().iter().find(|check| check["about"] == "tcp").cloned();
    assert_eq!(tcp.map(|tcp| tcp["mark"].clone()), Some(Value::from("bad")));
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_used_is_found() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    healthy(&server).await;
    fs::write(folder.path(), "FLAGPOST, but not for long").unwrap();
    let run = finish(doctor(&server.uri(), &folder.store, &[])).await;
    assert!(run.code == 8 && line(&run, "snapshot").contains("damaged"), "{run:?}");
    assert!(line(&run, "writable").starts_with("✓ "), "{run:?}");
}

/// A store that speaks S3 and compares nothing.
async fn careless(server: &MockServer) {
    let values = Arc::new(Mutex::new(HashMap::<String, Vec<u8>>::new()));
    Mock::given(any())
        .respond_with(move |request: &Request| {
            let mut values = values.lock().unwrap();
            let key = request.url.path().to_owned();
            match request.method.as_str() {
                "PUT" => {
                    values.insert(key, request.body.clone());
                    ResponseTemplate::new(200).insert_header("ETag", "\"x\"")
                }
                "DELETE" => {
                    values.remove(&key);
                    ResponseTemplate::new(204)
                }
                _ => match values.get(&key) {
                    Some(value) => ResponseTemplate::new(200)
                        .insert_header("ETag", "\"x\"")
                        .insert_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
                        .set_body_bytes(value.clone()),
                    None => ResponseTemplate::new(404).set_body_string("<Code>NoSuchKey</Code>"),
                },
            }
        })
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_store_that_ignores_conditions_is_found() {
    let (server, store) = (MockServer::start().await, MockServer::start().await);
    healthy(&server).await;
    careless(&store).await;
    let mut command = doctor(&server.uri(), "s3://bucket/key", &[]);
    command.env("AWS_ENDPOINT_URL_S3", store.uri()).env("AWS_ACCESS_KEY_ID", "a");
    let run = finish({
        command.env("AWS_SECRET_ACCESS_KEY", "b").env("AWS_REGION", "auto");
        command
    })
    .await;
    assert_eq!(run.code, 10, "{run:?}");
    assert!(line(&run, "writable").starts_with("✓ "), "{run:?}");
    assert!(line(&run, "conditional").contains("ignores If-None-Match"), "{run:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_secret_file_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let (server, folder) = (MockServer::start().await, Folder::new());
    healthy(&server).await;
    let file = folder.folder.path().join("key");
    fs::write(&file, "phx_fromFile0123456789").unwrap();
    for (mode, mark, says) in
        [(0o644, "! ", "every user"), (0o640, "! ", "its group"), (0o600, "✓ ", "owner alone")]
    {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let more = ["--personal-api-key-file", file.to_str().unwrap()];
        let run = finish(doctor(&server.uri(), &folder.store, &more)).await;
        let line = line(&run, "secret file");
        assert!(run.code == 0 && line.starts_with(mark) && line.contains(says), "{run:?}");
    }
}

#[tokio::test]
async fn a_proxy_is_told_of_without_its_password() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    healthy(&server).await;
    let mut command = doctor(&server.uri(), &folder.store, &[]);
    command.env("HTTPS_PROXY", "http://user:proxyPassword@proxy.example:3128");
    let run = finish(command).await;
    assert!(line(&run, "proxy").contains("through http://proxy.example:3128"), "{run:?}");
    assert!(!run.output().contains("proxyPassword") && run.code == 0, "{run:?}");
}
