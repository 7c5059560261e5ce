//! What an unchanged refresh may take of the machine.

#![cfg(target_os = "linux")]

mod support;

use std::time::Duration;

use support::{Folder, answer, definitions, finish, ok, refresh};
use wiremock::{MockServer, ResponseTemplate};

/// In bytes, of a build without optimisation; a release build takes about 16 MB.
const PEAK: u64 = 30 << 20;

/// The most memory that a process has had resident, in bytes, by what its /proc/…/status says: the same
/// that wait4 gives as ru_maxrss.
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[tokio::test]
async fn an_unchanged_refresh_stays_within_30_mb() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(500)).insert_header("ETag", "\"one\"")).await;
    assert_eq!(finish(refresh(&server.uri(), &folder.store, &[])).await.code, 0);
    // Held back, so that the process is there to be looked at when it has read what is stored.
    answer(&server, ResponseTemplate::new(304).set_delay(Duration::from_secs(2))).await;
    let mut command = refresh(&server.uri(), &folder.store, &[]);
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        most = most.max(status.ok().and_then(|status| peak(&status)).unwrap_or_default());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(child.wait().unwrap().success());
    assert!(most > 1 << 20, "the peak was seen: {most} bytes");
    assert!(most < PEAK, "{most} bytes at the peak, {PEAK} are allowed");
}
