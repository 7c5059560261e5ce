//! What the tests share: running the real program, and real or stand-in servers for it to meet.

#![allow(dead_code, unreachable_pub, reason = "every test file uses another part of this")]

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use flagpost_engine::snapshot::{Header, Snapshot};
use refresher::cli::{Arguments, Command as Subcommand, RefreshArguments};
use refresher::config;
use refresher::http::Timeouts;
use refresher::retry::Patience;
use refresher::store::Store;
use refresher::upstream::{Settings, Upstream};
use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub mod daemon;
pub mod kv;
pub mod openmetrics;
pub mod place;
pub mod proxy;
pub mod random;
pub mod s3;
pub mod stage;
pub mod web;

pub const PROJECT_KEY: &str = "phc_public-project-key";
pub const PERSONAL_KEY: &str = "phx_personalSecretKey0123456789";

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The outcome that `--json` printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// What `--json` said of its only store.
    pub fn store(&self) -> Value {
        let stores = self.json()["stores"].clone();
        assert_eq!(stores.as_array().map(Vec::len), Some(1), "{self:?}");
        stores[0].clone()
    }

    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The program, with nothing of this process's environment.
pub fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refresher"));
    command.env_clear().args(arguments).stdin(Stdio::null());
    command
}

/// Says something past the test runner, which would keep it to itself if a macro said it.
pub fn say(text: &str) {
    std::io::stderr().lock().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// Runs a command to its end, aside from the test's own runtime.
pub async fn finish(mut command: Command) -> Run {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `refresher run --json` with keys set, impatient, against `host`, into `store`.
pub fn refresh(host: &str, store: &str, more: &[&str]) -> Command {
    let mut command = refresh_plainly(host, store, more);
    command.arg("--json");
    command
}

/// The same for people, without `--json`.
pub fn refresh_plainly(host: &str, store: &str, more: &[&str]) -> Command {
    let mut command = command(["run", "--host", host, "--store", store]);
    command.args(["--retries", "2", "--retry-delay", "10ms"]).args(more);
    command.env("POSTHOG_PROJECT_KEY", PROJECT_KEY).env("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY);
    command
}

/// Where a store is served for a test, by two variables that `tests/support/local-stores.mjs` sets.
/// Without them what needs the store is skipped, and this says so.
pub fn served(first: &str, second: &str) -> Option<[String; 2]> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(first), Some(second)) = (variable(first), variable(second)) {
        return Some([first, second]);
    }
    let why =
        format!("{first} and {second} are not set; `make test` serves local stores and sets them");
    assert!(variable("FLAGPOST_REQUIRE_ALL").is_none(), "{why}");
    let of = std::thread::current().name().map(|test| format!("{test}: ")).unwrap_or_default();
    say(&format!("skipped: {of}{why}"));
    None
}

/// A number for names: a local store may outlive a test, and its keys are to be new ones.
pub fn age() -> u128 {
    UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_nanos()
}

/// Opens a store through the same settings as the program does.
pub fn opened(address: &str, environment: &HashMap<&str, String>) -> Box<dyn Store> {
    let arguments = ["refresher", "run", "--retry-delay=10ms", "--store", address];
    let Subcommand::Run(arguments) =
        <Arguments as clap::Parser>::try_parse_from(arguments).unwrap().command
    else {
        unreachable!("that was `run`")
    };
    let RefreshArguments { stores, patience, .. } = &arguments.refresh;
    let environment = |name: &str| environment.get(name).cloned();
    config::stores(stores, patience, &environment).unwrap().remove(0)
}

/// PostHog as the program sees it with the tests' keys. `time` is for connecting and for all of an answer,
/// `max_size` is in bytes.
pub fn upstream(host: &str, patience: Patience, time: Duration, max_size: usize) -> Upstream {
    Upstream::new(Settings {
        host: host.to_owned(),
        project_key: PROJECT_KEY.to_owned(),
        personal_key: PERSONAL_KEY.into(),
        patience,
        timeouts: Timeouts { connect: time, total: time },
        max_size,
    })
    .unwrap()
}

/// Definitions with so many flags, all for everybody.
pub fn definitions(flags: usize) -> String {
    let flags: Vec<String> = (0..flags)
        .map(|n| {
            format!(
                r#"{{"id":{n},"key":"flag-{n}","name":"Flag {n}","active":true,"filters":{{"groups":[{{"properties":[],"rollout_percentage":100}}]}}}}"#
            )
        })
        .collect();
    format!(r#"{{"flags":[{}],"group_type_mapping":{{}},"cohorts":{{}}}}"#, flags.join(","))
}

/// Lets PostHog's stand-in answer every request alike, and forget what it answered before.
pub async fn answer(server: &MockServer, response: ResponseTemplate) {
    server.reset().await;
    Mock::given(method("GET"))
        .and(path("/flags/definitions"))
        .respond_with(response)
        .mount(server)
        .await;
}

pub fn ok(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.as_bytes(), "application/json")
}

/// A folder with a file store in it.
pub struct Folder {
    pub folder: tempfile::TempDir,
    pub store: String,
}

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("file:{}", folder.path().display());
        Folder { folder, store }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("flags.snapshot")
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// The stored definitions and their header, if the snapshot is whole.
    pub fn open(&self) -> (Header, String) {
        open(&self.bytes())
    }

    pub fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn open(bytes: &[u8]) -> (Header, String) {
    let snapshot = Snapshot::open(bytes).unwrap();
    let header = snapshot.header().unwrap();
    let definitions = String::from_utf8(snapshot.definitions().to_vec()).unwrap();
    assert_eq!(header.digest, refresher::snapshot::digest(definitions.as_bytes()));
    (header, definitions)
}
