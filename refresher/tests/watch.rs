//! The daemon: the real program, its signals, its endpoint, and what it tells systemd.
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use refresher::watch::{Ended, Pace};
use support::daemon::{Daemon, watch};
use support::openmetrics::samples;
use support::{Folder, PERSONAL_KEY, answer, command, definitions, finish, ok};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use wiremock::{MockServer, ResponseTemplate};

/// How often a refresh found nothing new.
const UNCHANGED: &str = "flagpost_refreshes_total{status=\"unchanged\",reason=\"\"}";

async fn asked(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn it_refreshes_again_and_again_and_tells_how_it_goes() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(3)).insert_header("ETag", "\"one\"")).await;
    // Quotes, backslashes and line ends must be escaped in labels.
    let odd = folder.folder.path().join("a\"b\\c\nd");
    let store = format!("file:{}", odd.display());
    let daemon = Daemon::start(watch(&server.uri(), &store, &["--max-age", "1h"]));
    assert_eq!(daemon.until("/readyz", |status, _| status == 200).await, "ok\n");
    assert_eq!(daemon.get("/healthz").await, (200, "ok\n".to_owned()));
    let twice = |text: &str| samples(text).get(UNCHANGED).is_some_and(|count| *count >= 2.0);
    let text = daemon.until("/metrics", |_, text| twice(text)).await;
    let samples = samples(&text);
    let unchanged = samples[UNCHANGED];
    let sum = |start: &str| -> f64 {
        let of = samples.iter().filter(|(name, _)| name.starts_with(start));
        of.map(|(_, value)| value).sum()
    };
    assert_eq!(sum("flagpost_refreshes_total{status=\"updated\""), 1.0, "{text}");
    assert_eq!(sum("flagpost_refresh_duration_seconds_count"), 1.0 + unchanged, "{text}");
    assert_eq!(sum("flagpost_upstream_requests_total"), 1.0 + unchanged, "{text}");
    assert_eq!(sum("flagpost_store_writes_total"), 1.0);
    assert_eq!(sum("flagpost_snapshot_flags"), 3.0);
    assert_eq!(sum("flagpost_consecutive_failures"), 0.0);
    assert_eq!(sum("flagpost_ready"), 1.0);
    let bytes = fs::metadata(odd.join("flags.snapshot")).unwrap().len();
    assert_eq!(sum("flagpost_snapshot_size_bytes"), bytes as f64);
    let age = sum("flagpost_snapshot_age_seconds");
    assert!((0.0..60.0).contains(&age), "{age}");
    let header = support::open(&fs::read(odd.join("flags.snapshot")).unwrap()).0;
    let fetched: jiff::Timestamp = header.fetched_at.parse().unwrap();
    let told = sum("flagpost_snapshot_fetched_timestamp_seconds");
    assert!((told - fetched.as_millisecond() as f64 / 1e3).abs() < 0.002, "{told}");
    assert!(text.contains(&header.digest));
    assert!(!text.contains(PERSONAL_KEY) && !daemon.log().contains(PERSONAL_KEY));
}

#[tokio::test]
async fn flags_are_counted_also_when_nothing_changed_since_the_start() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(4)).insert_header("ETag", "\"one\"")).await;
    assert_eq!(finish(support::refresh(&server.uri(), &folder.store, &[])).await.code, 0);
    answer(&server, ResponseTemplate::new(304).insert_header("ETag", "\"one\"")).await;
    let daemon = Daemon::start(watch(&server.uri(), &folder.store, &[]));
    let counted = |text: &str| text.contains("flagpost_snapshot_flags{");
    let samples = samples(&daemon.until("/metrics", |_, text| counted(text)).await);
    let flags = samples.iter().find(|(name, _)| name.starts_with("flagpost_snapshot_flags"));
    assert_eq!(flags.unwrap().1, &4.0);
}

#[tokio::test]
async fn refused_keys_do_not_end_it_and_are_read_again_from_their_file() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ResponseTemplate::new(401)).await;
    let key = folder.folder.path().join("key");
    fs::write(&key, "phx_old").unwrap();
    let more = ["--personal-api-key-file", key.to_str().unwrap()];
    let daemon = Daemon::start(watch(&server.uri(), &folder.store, &more));
    daemon.until_log("posthog answered 401").await;
    let (status, why) = daemon.get("/readyz").await;
    assert!(status == 503 && why.contains("holds no good snapshot"), "{status} {why}");
    assert_eq!(daemon.get("/healthz").await.0, 200);
    // While somebody writes the file anew it may be empty for a moment.
    fs::write(&key, "").unwrap();
    daemon.until_log("is empty: write the key into it").await;
    answer(&server, ok(&definitions(1))).await;
    fs::write(&key, "phx_new").unwrap();
    daemon.until("/readyz", |status, _| status == 200).await;
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.last().unwrap().headers["authorization"], "Bearer phx_new");
    daemon.until_log("failures: ").await;
}

#[tokio::test]
async fn wrong_settings_end_it_at_once() {
    let run = finish(command(["watch", "--store", "redis:x"])).await;
    assert_eq!(run.code, 2, "{run:?}");
    for row in [["--interval", "10ms"], ["--jitter", "80%"], ["--listen", "example.com"]] {
        let run = finish(command(["watch", row[0], row[1]])).await;
        assert!(run.code == 2 && run.stderr.contains(row[0]), "{run:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut busy = watch("http://127.0.0.1:1", "memory:", &[]);
    busy.args(["--listen", &address]);
    let run = finish(busy).await;
    assert!(run.code == 1 && run.stderr.contains("cannot listen on"), "{run:?}");
}

#[tokio::test]
async fn told_to_end_it_finishes_the_refresh_in_progress() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    for name in ["TERM", "INT"] {
        answer(&server, ok(&definitions(2)).set_delay(Duration::from_secs(2))).await;
        let mut daemon = Daemon::start(watch(&server.uri(), &folder.store, &[]));
        daemon.until_log("listening").await;
        daemon.until_asked(&server).await;
        daemon.signal(name);
        let (code, took) = daemon.ended().await;
        assert_eq!(code, 0, "{}", daemon.log());
        assert!(took > Duration::from_secs(1), "{took:?}");
        assert_eq!(folder.open().1, definitions(2));
        fs::remove_file(folder.path()).unwrap();
    }
}

#[tokio::test]
async fn a_second_signal_and_the_end_of_its_grace_do_not_wait() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    for (grace, signals) in [("30s", 2), ("1s", 1)] {
        answer(&server, ok(&definitions(2)).set_delay(Duration::from_secs(20))).await;
        let mut daemon = Daemon::start(watch(&server.uri(), &folder.store, &["--grace", grace]));
        daemon.until_log("listening").await;
        daemon.until_asked(&server).await;
        daemon.signal("TERM");
        daemon.until_log("finishing the refresh in progress").await;
        if signals == 2 {
            daemon.signal("TERM");
        }
        let (code, took) = daemon.ended().await;
        assert_eq!(code, 0);
        assert!(took < Duration::from_secs(10), "{took:?}");
        daemon.until_log("cut short").await;
    }
}

#[tokio::test]
async fn a_hang_up_refreshes_now_and_a_retry_after_is_waited_for() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ResponseTemplate::new(429).insert_header("Retry-After", "3000")).await;
    let daemon = Daemon::start(watch(&server.uri(), &folder.store, &[]));
    daemon.until_log("posthog answered 429").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(asked(&server).await, 1, "asked before its time");
    answer(&server, ok(&definitions(1))).await;
    daemon.signal("HUP");
    daemon.until("/readyz", |status, _| status == 200).await;
}

#[tokio::test]
async fn an_old_snapshot_is_served_but_not_ready_when_there_is_a_limit() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1))).await;
    let daemon = Daemon::start(watch(&server.uri(), &folder.store, &["--max-age", "3s"]));
    daemon.until("/readyz", |status, _| status == 200).await;
    answer(&server, ResponseTemplate::new(500)).await;
    let why = daemon.until("/readyz", |status, _| status == 503).await;
    assert!(why.contains("posthog confirmed"), "{why}");
    let failures = |text: &str| samples(text)["flagpost_consecutive_failures"];
    let text = daemon.until("/metrics", |_, text| failures(text) >= 2.0).await;
    assert!(text.contains("{status=\"error\",reason=\"unexpected-status\"}"), "{text}");
    answer(&server, ok(&definitions(1))).await;
    daemon.signal("HUP");
    daemon.until("/readyz", |status, _| status == 200).await;
}

#[tokio::test]
async fn the_endpoint_takes_only_what_it_needs() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1))).await;
    let daemon = Daemon::start(watch(&server.uri(), &folder.store, &[]));
    let address = daemon.address().await;
    let say = async |text: &str| {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        // The other side may hang up before all is said.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(9), reading).await.expect("hangs up");
        String::from_utf8(answer).unwrap()
    };
    let post = say("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n").await;
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD"), "{post}");
    let head = say("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(head.contains("application/openmetrics-text; version=1.0.0"), "{head}");
    let other = say("GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
    let huge = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    assert!(!say(&huge).await.starts_with("HTTP/1.1 200"));
    // Slow ones are hung up on, and those who come meanwhile are answered then.
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nX-Slow: ").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(daemon.get("/healthz").await.0, 200);
    let mut rest = Vec::new();
    let first = slow[0].read_to_end(&mut rest);
    assert!(tokio::time::timeout(Duration::from_secs(9), first).await.is_ok(), "hung up on");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_ready_status_watchdog_reload_and_the_end() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let path = folder.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut heard = Vec::new();
    let mut hear = move |words: &str| {
        let end = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let mut buffer = [0; 4096];
            if let Ok(length) = socket.recv(&mut buffer) {
                let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
                heard.push(text.clone());
                if text.contains(words) {
                    return (text, heard.clone());
                }
            }
            assert!(std::time::Instant::now() < end, "no {words} in {heard:?}");
        }
    };
    answer(&server, ResponseTemplate::new(503)).await;
    let mut command = watch(&server.uri(), &folder.store, &[]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "600000");
    let mut daemon = Daemon::start(command);
    let (_, before) = tokio::task::block_in_place(|| hear("STATUS=failed at "));
    assert!(before.iter().all(|text| !text.contains("READY=1")), "nothing is stored: {before:?}");
    answer(&server, ok(&definitions(1))).await;
    let (ready, _) = tokio::task::block_in_place(|| hear("READY=1"));
    assert!(ready.contains("STATUS=updated at ") && ready.contains("1 flag"), "{ready}");
    let (_, heard) = tokio::task::block_in_place(|| hear("WATCHDOG=1"));
    assert!(heard.iter().filter(|text| text.contains("WATCHDOG=1")).count() > 1, "{heard:?}");
    daemon.signal("HUP");
    let (reloading, _) = tokio::task::block_in_place(|| hear("RELOADING=1"));
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    tokio::task::block_in_place(|| hear("READY=1"));
    daemon.signal("TERM");
    tokio::task::block_in_place(|| hear("STOPPING=1"));
    assert_eq!(daemon.ended().await.0, 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn with_a_snapshot_in_the_store_systemd_hears_ready_though_posthog_is_away() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1))).await;
    assert_eq!(finish(support::refresh(&server.uri(), &folder.store, &[])).await.code, 0);
    let path = folder.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut command = watch("http://127.0.0.1:1", &folder.store, &[]);
    command.env("NOTIFY_SOCKET", &path);
    let _daemon = Daemon::start(command);
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
    assert!(text.contains("READY=1") && text.contains("STATUS=failed at "), "{text}");
}

#[tokio::test]
async fn lines_of_the_log_are_json_with_a_time_when_asked_for() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1))).await;
    let mut command = watch(&server.uri(), &folder.store, &["-vv"]);
    command.env("FLAGPOST_LOG_FORMAT", "json").env("RUST_LOG", "trace");
    let daemon = Daemon::start(command);
    daemon.until_log("\"status\":\"updated\"").await;
    for line in daemon.log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok() && time.ends_with('Z'), "{time}");
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
        assert!(line.get("span").is_none() && line.get("spans").is_none(), "{line}");
    }
    assert!(!daemon.log().contains(PERSONAL_KEY) && !daemon.log().contains("hyper"));
    let mut wrong = support::refresh(&server.uri(), &folder.store, &[]);
    wrong.env("FLAGPOST_LOG_FORMAT", "yaml");
    let run = finish(wrong).await;
    assert!(run.code == 2 && run.stderr.contains("FLAGPOST_LOG_FORMAT"), "{run:?}");
}

#[test]
fn the_next_refresh_comes_in_time_and_gently() {
    let s = Duration::from_secs;
    let began = Instant::now();
    // Interval, took, failures in vain, Retry-After -> when, counted from the beginning.
    let rows = [
        (60, 1, 0, None, 60),
        (60, 59, 0, None, 60),
        // Missed turns are left out.
        (60, 61, 0, None, 120),
        (60, 200, 0, None, 240),
        // Failures: from the end, the same for two, then double, up to ten minutes.
        (60, 1, 1, None, 61),
        (60, 1, 2, None, 61),
        (60, 1, 3, None, 121),
        (60, 1, 5, None, 481),
        (60, 1, 6, None, 601),
        (60, 1, u32::MAX, None, 601),
        // Or up to ten intervals, and never more often than the interval.
        (10, 0, 40, None, 100),
        (3600, 0, 40, None, 3600),
        // What a server asks for counts if it is longer, up to an hour.
        (60, 1, 1, Some(30), 61),
        (60, 1, 1, Some(300), 301),
        (60, 1, 1, Some(1 << 40), 3601),
        (7200, 0, 1, Some(9000), 7200),
    ];
    for (interval, took, in_vain, retry_after, expected) in rows {
        let pace = Pace { interval: s(interval), jitter: 0.1 };
        let last =
            Ended { began, ended: began + s(took), in_vain, retry_after: retry_after.map(s) };
        let steady = Pace { jitter: 0.0, ..pace }.next(&last, 0.7) - began;
        assert_eq!(steady, s(expected), "{interval} {took} {in_vain} {retry_after:?}");
        let (early, late) = (pace.next(&last, 0.0) - began, pace.next(&last, 1.0) - began);
        assert!(late > early || took > 60, "jitter spreads: {early:?} {late:?}");
        if let Some(after) = retry_after.filter(|after| *after > 60 && *after <= 3600) {
            assert!(early >= s(took + after), "never before its time: {early:?}");
        }
    }
}

#[tokio::test]
async fn while_another_refresher_holds_the_lease_what_was_stored_counts_on() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(2))).await;
    let daemon = Daemon::start(watch(&server.uri(), &folder.store, &["--lease", "10m"]));
    daemon.until("/readyz", |status, _| status == 200).await;
    let lease = folder.folder.path().join("flags/lease.json");
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(9);
    let held = format!("{{\"owner\":\"another\",\"expiresAt\":\"{until:.3}\"}}");
    let leased = "flagpost_refreshes_total{status=\"skipped\",reason=\"leased\"}";
    let text = daemon
        .until("/metrics", |_, text| {
            // Again and again: the daemon may be giving its own back just now.
            fs::write(lease.with_extension("new"), &held).unwrap();
            fs::rename(lease.with_extension("new"), &lease).unwrap();
            text.contains(leased)
        })
        .await;
    assert_eq!(daemon.get("/readyz").await, (200, "ok\n".to_owned()));
    let samples = samples(&text);
    let flags = samples.iter().find(|(name, _)| name.starts_with("flagpost_snapshot_flags"));
    assert_eq!(flags.unwrap().1, &2.0, "{text}");
}
