//! A store of some kind, and the program run on it.

use std::process::Command;

use refresher::snapshot::digest;
use serde_json::Value;
use wiremock::matchers::header;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::kv::Kv;
use super::{Folder, Run, answer, command, definitions, finish, ok, refresh, s3};

/// PostHog with so many flags and an etag: whoever shows it gets 304.
pub async fn serve(server: &MockServer, flags: usize) {
    let etag = format!("\"{flags}\"");
    answer(server, ok(&definitions(flags)).insert_header("ETag", etag.as_str())).await;
    Mock::given(header("If-None-Match", etag.as_str()))
        .respond_with(ResponseTemplate::new(304))
        .with_priority(1)
        .mount(server)
        .await;
}

/// Where a test's store is, and what a program needs to reach it.
pub struct Place {
    pub store: String,
    pub environment: Vec<(&'static str, String)>,
}

impl Place {
    pub fn of(folder: &Folder) -> Place {
        Place { store: folder.store.clone(), environment: Vec::new() }
    }

    pub fn with(&self, mut command: Command) -> Command {
        command.envs(self.environment.iter().cloned());
        command
    }

    /// A refresh that must end well.
    pub async fn refresh(&self, server: &MockServer, more: &[&str]) -> Value {
        let run = finish(self.with(refresh(&server.uri(), &self.store, more))).await;
        assert_eq!(run.code, 0, "{run:?}");
        run.store()
    }

    pub async fn run(&self, arguments: &[&str]) -> Run {
        let store = ["--store", self.store.as_str(), "--retry-delay", "10ms"];
        finish(self.with(command([arguments, &store].concat()))).await
    }

    /// What `--json` says of the only store.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat()).await;
        assert_eq!(run.code, 0, "{run:?}");
        run.store()
    }

    pub async fn current(&self) -> Value {
        self.json(&["status"]).await["snapshot"].clone()
    }
}

pub fn of(flags: usize) -> String {
    digest(definitions(flags).as_bytes())
}

/// A store of each kind with versions of 1, 2 and 3 flags.
pub async fn places(server: &MockServer) -> (Vec<Place>, Folder, s3::S3, Kv) {
    let (folder, bucket, kv) = (Folder::new(), s3::start().await, Kv::start().await);
    let places = vec![
        Place::of(&folder),
        Place { store: "s3://flags/a/b".to_owned(), environment: s3::environment(&bucket).into() },
        Place { store: "kv:ns".to_owned(), environment: kv.environment().into() },
    ];
    for flags in 1..=3 {
        serve(server, flags).await;
        for place in &places {
            place.refresh(server, &[]).await;
        }
    }
    (places, folder, bucket, kv)
}
