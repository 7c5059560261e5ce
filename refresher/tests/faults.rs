//! Stores that fail in every way a store can, and a refresher that is killed: no good snapshot is
//! lost, and no failure is hidden by a later 304.

mod support;

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use refresher::clock::{Clock, SystemClock, rfc3339};
use refresher::history;
use refresher::outcome::{Exit, Outcome, Reason, Status};
use refresher::refresh::{self, Job, Policy};
use refresher::retry::Patience;
use refresher::snapshot::{Held, Origin, sealed};
use refresher::store::{Expected, FileStore, Item, Store, StoreError, Stored};
use refresher::upstream::Upstream;
use support::place::serve;
use support::{Folder, PROJECT_KEY, answer, definitions, finish, names, ok, refresh, s3};
use wiremock::matchers::{any, header, method};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// What goes wrong with the next write.
#[derive(Clone)]
enum Wrong {
    /// It fails and changes nothing.
    Fails,
    /// It succeeds and changes nothing.
    Lost,
    /// It succeeds and half the bytes are there.
    Torn,
    /// It fails and the bytes are there.
    Answerless,
    /// The bytes are there, and the store says somebody else wrote them.
    FalseConflict,
    /// It succeeds, and the bytes show only when read for the third time.
    Late(Stored, usize),
    /// Somebody else writes these bytes first.
    Overtaken(Vec<u8>),
    /// Somebody else writes these bytes at the same time, and theirs stay.
    Overwritten(Vec<u8>),
}

/// A real folder that misbehaves on demand.
struct Faulty {
    inner: FileStore,
    wrong: Mutex<Option<Wrong>>,
    /// Which items beside the snapshot cannot be written now.
    refused: Mutex<fn(&Item) -> bool>,
    late: Mutex<Option<(Stored, usize)>>,
    /// Whether the lease is written and the store says it is not.
    answerless_lease: AtomicBool,
}

impl Faulty {
    fn new(folder: &Folder) -> Self {
        Faulty {
            inner: FileStore::new(folder.folder.path().to_owned(), "flags"),
            wrong: Mutex::new(None),
            refused: Mutex::new(|_| false),
            late: Mutex::new(None),
            answerless_lease: AtomicBool::new(false),
        }
    }

    fn next(&self, wrong: Wrong) {
        *self.wrong.lock().unwrap() = Some(wrong);
    }
}

#[async_trait]
impl Store for Faulty {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        let stored = self.inner.read(item).await?;
        if *item != Item::Current {
            return Ok(stored);
        }
        if let Some((old, times)) = self.late.lock().unwrap().as_mut()
            && *times > 0
        {
            *times -= 1;
            return Ok(Some(old.clone()));
        }
        Ok(stored)
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        let refused = *self.refused.lock().unwrap();
        if refused(item) {
            return Err(StoreError::Failed("the disk is on fire".to_owned()));
        }
        if *item == Item::Lease && self.answerless_lease.load(Ordering::SeqCst) {
            self.inner.write(item, bytes, expected).await?;
            return Err(StoreError::Failed("the line went dead".to_owned()));
        }
        if *item != Item::Current {
            return self.inner.write(item, bytes, expected).await;
        }
        let wrong = self.wrong.lock().unwrap().take();
        match wrong {
            None => self.inner.write(item, bytes, expected).await,
            Some(Wrong::Fails) => Err(StoreError::Failed("the disk is on fire".to_owned())),
            Some(Wrong::Lost) => Ok(()),
            Some(Wrong::Torn) => self.inner.write(item, &bytes[..bytes.len() / 2], expected).await,
            Some(Wrong::Answerless) => {
                self.inner.write(item, bytes, expected).await?;
                Err(StoreError::Failed("the line went dead".to_owned()))
            }
            Some(Wrong::FalseConflict) => {
                self.inner.write(item, bytes, expected).await?;
                Err(StoreError::Conflict)
            }
            Some(Wrong::Late(old, times)) => {
                *self.late.lock().unwrap() = Some((old, times));
                self.inner.write(item, bytes, expected).await
            }
            Some(Wrong::Overwritten(others)) => {
                self.inner.write(item, &others, &Expected::Any).await
            }
            Some(Wrong::Overtaken(others)) => {
                self.inner.write(item, &others, &Expected::Any).await?;
                self.inner.write(item, bytes, expected).await
            }
        }
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        self.inner.remove(item).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

fn upstream(server: &MockServer) -> Upstream {
    let patience = Patience { retries: 0, delay: Duration::ZERO, max_delay: Duration::ZERO };
    support::upstream(&server.uri(), patience, Duration::from_secs(5), 1 << 20)
}

/// One refresh of a store, in this process.
async fn run(server: &MockServer, store: &Arc<Faulty>) -> Outcome {
    run_with(server, store, Policy::default()).await
}

async fn run_with(server: &MockServer, store: &Arc<Faulty>, policy: Policy) -> Outcome {
    let stores: Vec<Box<dyn Store>> = vec![Box::new(store.clone())];
    let job = Job { policy, upstream: upstream(server), stores };
    refresh::run(&job, &SystemClock).await.stores.remove(0)
}

async fn stored(flags: usize) -> (MockServer, Folder, Arc<Faulty>) {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let store = Arc::new(Faulty::new(&folder));
    serve(&server, flags).await;
    assert_eq!(run(&server, &store).await.status, Status::Updated);
    (server, folder, store)
}

/// A snapshot that another refresher made of these definitions, with the etag that `serve` gives
/// so many flags.
fn others(server: &MockServer, definitions: &str, flags: usize) -> Vec<u8> {
    let at = rfc3339(SystemClock.now());
    let origin = Origin {
        upstream: Some(upstream(server).identity().clone()),
        etag: Some(format!("\"{flags}\"")),
        fetched_at: at.clone(),
        checked_at: at,
        filter: None,
    };
    sealed(definitions.as_bytes(), origin).unwrap()
}

/// Definitions whose flags PostHog has changed so many times.
fn versioned(flags: usize, version: usize) -> String {
    definitions(flags).replace("{\"id\"", &format!("{{\"version\":{version},\"id\""))
}

#[tokio::test]
async fn a_failed_write_keeps_the_old_snapshot_and_is_made_good_by_the_next_run() {
    let (server, folder, store) = stored(2).await;
    let before = folder.bytes();
    serve(&server, 3).await;
    for wrong in [Wrong::Fails, Wrong::Lost] {
        let reason = if matches!(wrong, Wrong::Fails) {
            Reason::WriteFailed
        } else {
            Reason::WriteUnverified
        };
        store.next(wrong);
        let outcome = run(&server, &store).await;
        assert_eq!(
            (outcome.exit(), outcome.reason),
            (Exit::StoreWrite, Some(reason)),
            "{outcome:?}"
        );
        assert!(!outcome.written);
        assert!(outcome.message.contains("kept the last good snapshot from"), "{outcome:?}");
        assert_eq!(folder.bytes(), before);
    }
    let outcome = run(&server, &store).await;
    assert_eq!(outcome.status, Status::Updated, "no 304 hid the failure: {outcome:?}");
    assert_eq!(folder.open().1, definitions(3));
}

#[tokio::test]
async fn a_first_write_that_is_lost_is_no_success() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let store = Arc::new(Faulty::new(&folder));
    serve(&server, 2).await;
    store.next(Wrong::Lost);
    let outcome = run(&server, &store).await;
    assert_eq!(outcome.reason, Some(Reason::WriteUnverified), "{outcome:?}");
    assert!(outcome.message.contains("it holds nothing"), "{outcome:?}");
    assert_eq!(run(&server, &store).await.status, Status::Updated);
}

#[tokio::test]
async fn a_torn_write_is_noticed_and_repaired() {
    let (server, folder, store) = stored(2).await;
    serve(&server, 3).await;
    store.next(Wrong::Torn);
    let outcome = run(&server, &store).await;
    assert_eq!(outcome.reason, Some(Reason::WriteUnverified), "{outcome:?}");
    assert_eq!(run(&server, &store).await.status, Status::Updated);
    assert_eq!(folder.open().1, definitions(3));
}

#[tokio::test]
async fn a_write_that_happened_counts_whatever_the_store_said() {
    let (server, folder, store) = stored(2).await;
    for (flags, wrong) in [(3, Wrong::Answerless), (4, Wrong::FalseConflict)] {
        serve(&server, flags).await;
        store.next(wrong);
        let outcome = run(&server, &store).await;
        assert_eq!((outcome.status, outcome.written), (Status::Updated, true), "{outcome:?}");
        assert_eq!(folder.open().1, definitions(flags));
    }
}

#[tokio::test]
async fn a_store_that_shows_a_write_late_is_given_time() {
    let (server, _folder, store) = stored(2).await;
    serve(&server, 3).await;
    let before = store.read(&Item::Current).await.unwrap().unwrap();
    store.next(Wrong::Late(before, 2));
    assert_eq!(run(&server, &store).await.status, Status::Updated);
}

#[tokio::test]
async fn what_another_refresher_wrote_stays_if_upstream_calls_it_current() {
    let (server, folder, store) = stored(2).await;
    let theirs = others(&server, &definitions(3), 3);
    for wrong in [Wrong::Overtaken(theirs.clone()), Wrong::Overwritten(theirs.clone())] {
        // Ours are on their way when upstream changes.
        serve(&server, 4).await;
        Mock::given(header("If-None-Match", "\"3\""))
            .respond_with(ResponseTemplate::new(304))
            .with_priority(1)
            .mount(&server)
            .await;
        store.next(wrong);
        let outcome = run(&server, &store).await;
        let skipped = (Status::Skipped, Some(Reason::Superseded));
        assert_eq!((outcome.status, outcome.reason), skipped, "{outcome:?}");
        assert_eq!((outcome.exit(), outcome.written), (Exit::Ok, false));
        assert_eq!(folder.bytes(), theirs);
        assert_eq!(server.received_requests().await.unwrap().len(), 2, "upstream was asked again");
        std::fs::remove_file(folder.path()).unwrap();
    }
}

#[tokio::test]
async fn what_another_refresher_wrote_is_replaced_if_upstream_has_moved_on() {
    let (server, folder, store) = stored(2).await;
    let theirs = others(&server, &definitions(9), 9);
    for (flags, wrong) in
        [(7, Wrong::Overtaken(theirs.clone())), (8, Wrong::Overwritten(theirs.clone()))]
    {
        serve(&server, flags).await;
        store.next(wrong);
        let outcome = run(&server, &store).await;
        assert_eq!(outcome.status, Status::Updated, "{outcome:?}");
        assert_eq!(folder.open().1, definitions(flags));
    }
}

#[tokio::test]
async fn versions_of_flags_tell_which_definitions_are_newer_without_asking_again() {
    let (server, folder, store) = stored(2).await;
    for (ours, theirs, status) in [(5, 6, Status::Skipped), (8, 7, Status::Updated)] {
        answer(&server, ok(&versioned(3, ours))).await;
        store.next(Wrong::Overtaken(others(&server, &versioned(3, theirs), 0)));
        let outcome = run(&server, &store).await;
        assert_eq!(outcome.status, status, "{outcome:?}");
        assert_eq!(folder.open().1, versioned(3, ours.max(theirs)));
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn definitions_older_than_those_stored_are_refused() {
    let (server, folder, store) = stored(2).await;
    for (version, status) in [(5, Status::Updated), (4, Status::Stale), (6, Status::Updated)] {
        answer(&server, ok(&versioned(3, version))).await;
        let outcome = run(&server, &store).await;
        assert_eq!(outcome.status, status, "{outcome:?}");
        if status == Status::Stale {
            assert_eq!((outcome.exit(), outcome.reason), (Exit::Invalid, Some(Reason::Older)));
            assert!(outcome.message.contains("--force"), "{outcome:?}");
        }
    }
    assert_eq!(folder.open().1, versioned(3, 6));
}

#[tokio::test]
async fn renewing_checked_at_never_replaces_what_another_refresher_wrote() {
    let (server, folder, store) = stored(2).await;
    let theirs = others(&server, &definitions(9), 9);
    answer(&server, ResponseTemplate::new(304).insert_header("ETag", "\"renamed\"")).await;
    store.next(Wrong::Overtaken(theirs.clone()));
    let outcome = run(&server, &store).await;
    assert_eq!(outcome.status, Status::Skipped, "{outcome:?}");
    assert_eq!(folder.bytes(), theirs);
}

#[tokio::test]
async fn a_version_that_could_not_be_kept_is_not_listed() {
    let (server, folder, store) = stored(2).await;
    let listed = async || {
        let list = history::read(store.as_ref()).await.unwrap();
        for entry in &list.versions {
            history::version(store.as_ref(), &entry.digest).await.unwrap();
        }
        list.versions.len()
    };
    *store.refused.lock().unwrap() = |item| matches!(item, Item::Version(_));
    serve(&server, 3).await;
    let outcome = run(&server, &store).await;
    assert_eq!((outcome.status, outcome.warnings.len()), (Status::Updated, 1), "{outcome:?}");
    assert!(outcome.warnings[0].contains("is not kept for a rollback"), "{outcome:?}");
    assert_eq!((folder.open().1, listed().await), (definitions(3), 1));
    *store.refused.lock().unwrap() = |_| false;
    serve(&server, 4).await;
    assert_eq!(run(&server, &store).await.warnings.len(), 0);
    assert_eq!(listed().await, 3, "the next run that publishes makes it good");
}

#[tokio::test]
async fn a_version_that_is_listed_and_gone_is_kept_again_when_it_is_published_again() {
    let (server, folder, store) = stored(2).await;
    let digest = folder.open().0.digest;
    serve(&server, 3).await;
    run(&server, &store).await;
    store.remove(&Item::Version(refresher::snapshot::hex(&digest).to_owned())).await.unwrap();
    serve(&server, 2).await;
    assert_eq!(run(&server, &store).await.status, Status::Updated);
    history::version(store.as_ref(), &digest).await.unwrap();
}

/// posthog-node's cache holds the definitions of so many flags.
async fn assert_cached(store: &Faulty, flags: usize) {
    let item = Item::NodeCache(PROJECT_KEY.to_owned());
    let cached = store.read(&item).await.unwrap().unwrap().bytes;
    let expected = refresher::node_cache::from_definitions(definitions(flags).as_bytes());
    assert_eq!(cached, expected.unwrap());
}

#[tokio::test]
async fn a_failed_write_of_posthog_nodes_cache_is_made_good_by_the_next_304() {
    let (server, _folder, store) = stored(2).await;
    let policy = Policy { node_cache: true, ..Policy::default() };
    *store.refused.lock().unwrap() = |item| matches!(item, Item::NodeCache(_));
    let failed = run_with(&server, &store, policy.clone()).await;
    assert_eq!((failed.status, failed.warnings.len()), (Status::Unchanged, 1), "{failed:?}");
    *store.refused.lock().unwrap() = |_| false;
    let outcome = run_with(&server, &store, policy).await;
    assert_eq!((outcome.status, outcome.warnings.len()), (Status::Unchanged, 0), "{outcome:?}");
    assert_cached(&store, 2).await;
}

#[tokio::test]
async fn posthog_nodes_cache_follows_a_version_that_was_gone_back_to_and_pinned() {
    let (server, _folder, store) = stored(2).await;
    let policy = Policy { node_cache: true, ..Policy::default() };
    let old = Held::open(store.read(&Item::Current).await.unwrap().unwrap()).unwrap();
    serve(&server, 3).await;
    assert_eq!(run_with(&server, &store, policy.clone()).await.status, Status::Updated);
    store.write(&Item::Current, &old.pinned(true).unwrap(), &Expected::Any).await.unwrap();
    let outcome = run_with(&server, &store, policy).await;
    assert_eq!((outcome.reason, outcome.written), (Some(Reason::Pinned), false), "{outcome:?}");
    assert_cached(&store, 2).await;
}

#[tokio::test]
async fn a_lease_that_lost_only_its_answer_is_had_and_given_back() {
    let (server, _folder, store) = stored(2).await;
    store.answerless_lease.store(true, Ordering::SeqCst);
    let policy = Policy { lease: Some(Duration::from_secs(60)), ..Policy::default() };
    for _ in 0..2 {
        let outcome = run_with(&server, &store, policy.clone()).await;
        assert_eq!(outcome.status, Status::Unchanged, "{outcome:?}");
        assert_eq!(store.read(&Item::Lease).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_empty_list_does_not_replace_a_damaged_snapshot_unasked() {
    let (server, folder, store) = stored(2).await;
    let mut damaged = folder.bytes();
    damaged.truncate(100);
    std::fs::write(folder.path(), &damaged).unwrap();
    answer(&server, ok("{\"flags\":[]}")).await;
    let outcome = run(&server, &store).await;
    assert_eq!(outcome.reason, Some(Reason::EmptyRefused), "{outcome:?}");
    assert_eq!(folder.bytes(), damaged);
    let policy = Policy { allow_empty: true, ..Policy::default() };
    assert_eq!(run_with(&server, &store, policy).await.status, Status::Empty);
}

#[tokio::test]
async fn a_folder_of_versions_gathers_nothing_beside_them() {
    let (server, folder, store) = stored(2).await;
    let versions = folder.folder.path().join("flags/versions");
    let left = versions.join(format!(".{}.snapshot.Ab12.tmp", "0".repeat(64)));
    std::fs::write(left, "what a killed writer left").unwrap();
    for flags in 3..20 {
        serve(&server, flags).await;
        assert_eq!(run(&server, &store).await.status, Status::Updated);
    }
    let (hidden, kept): (Vec<_>, Vec<_>) =
        names(&versions).into_iter().partition(|name| name.starts_with('.'));
    assert_eq!((hidden, kept.len()), (Vec::<String>::new(), 10));
}

#[tokio::test]
async fn a_store_that_cannot_be_read_ends_the_run_before_posthog_is_asked() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(2))).await;
    std::fs::create_dir(folder.path()).unwrap();
    let run = finish(refresh(&server.uri(), &folder.store, &[])).await;
    assert_eq!((run.code, &run.json()["reason"]), (9, &"read-failed".into()), "{run:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(2))).await;
    std::fs::write(folder.folder.path().join("taken"), "").unwrap();
    let store = format!("{}/taken/deeper", folder.store);
    let run = finish(refresh(&server.uri(), &store, &[])).await;
    assert_eq!(run.code, 9, "{run:?}");
    assert!(run.stderr.contains("taken/deeper"), "{run:?}");
}

/// Serves ever new definitions, each large enough that writing them takes time.
struct Growing(AtomicUsize);

impl Respond for Growing {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        ok(&definitions(1500 + count)).insert_header("ETag", format!("\"{count}\"").as_str())
    }
}

#[tokio::test]
async fn a_refresher_killed_at_any_moment_leaves_a_whole_snapshot() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    Mock::given(method("GET")).respond_with(Growing(AtomicUsize::new(0))).mount(&server).await;
    let first = finish(refresh(&server.uri(), &folder.store, &[])).await;
    assert_eq!(first.code, 0, "{first:?}");
    let began = std::time::Instant::now();
    let whole = finish(refresh(&server.uri(), &folder.store, &[])).await;
    assert_eq!(whole.code, 0, "{whole:?}");
    let length = began.elapsed();
    let (mut killed, mut seen) = (0, HashSet::new());
    for round in 0..80 {
        if round % 10 == 9 {
            let whole = finish(refresh(&server.uri(), &folder.store, &[])).await;
            assert_eq!(whole.code, 0, "the dead leave nothing that stops the living: {whole:?}");
        } else {
            let mut command = refresh(&server.uri(), &folder.store, &[]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(length * round / 60).await;
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().code().is_none());
        }
        let (header, definitions) = folder.open();
        assert!(definitions.len() > 180_000, "the definitions are whole in round {round}");
        seen.insert(header.digest);
    }
    assert!(killed >= 20, "{killed} of 72 were killed at work");
    assert!(seen.len() >= 8, "{} snapshots were seen", seen.len());
    assert_eq!(
        folder.names(),
        [".flags.snapshot.lock", "flags", "flags.snapshot"],
        "no left-overs"
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_is_a_network_fault() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (server, folder, store) = stored(2).await;
    let before = folder.bytes();
    drop((server, store));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let body = definitions(3);
        for head in
            ["Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"].into_iter().cycle()
        {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await;
            let chunk = if head.starts_with('T') { "fff\r\n" } else { "" };
            let text = format!("HTTP/1.1 200 OK\r\n{head}\r\n{chunk}{body}");
            let _ = socket.write_all(text.as_bytes()).await;
        }
    });
    for _ in 0..2 {
        let run = finish(refresh(&host, &folder.store, &["--retries", "0"])).await;
        assert_eq!((run.code, &run.json()["reason"]), (7, &"fetch-failed".into()), "{run:?}");
        assert!(run.stderr.contains("cut short"), "{run:?}");
        assert_eq!(folder.bytes(), before);
    }
}

#[tokio::test]
async fn ten_refreshers_at_once_leave_one_whole_snapshot() {
    let server = MockServer::start().await;
    let bucket = s3::start().await;
    let folder = Folder::new();
    serve(&server, 200).await;
    for store in [folder.store.clone(), format!("s3://{}/flags.snapshot", s3::BUCKET)] {
        let runs = (0..10).map(|_| {
            let mut command = refresh(&server.uri(), &store, &[]);
            command.envs(s3::environment(&bucket));
            tokio::spawn(finish(command))
        });
        for run in runs.collect::<Vec<_>>() {
            let run = run.await.unwrap();
            let status = run.json()["status"].as_str().unwrap().to_owned();
            assert_eq!(run.code, 0, "{run:?}");
            assert!(["updated", "unchanged", "skipped"].contains(&status.as_str()), "{run:?}");
        }
    }
    assert_eq!(folder.open().1, definitions(200));
    assert_eq!(names(folder.folder.path()), [".flags.snapshot.lock", "flags", "flags.snapshot"]);
}

#[tokio::test]
async fn an_s3_server_that_fails_leaves_the_run_with_a_reason() {
    let (server, broken) = (MockServer::start().await, MockServer::start().await);
    answer(&server, ok(&definitions(2))).await;
    let command = |broken: &MockServer| {
        let endpoint = broken.uri();
        let mut command =
            refresh(&server.uri(), "s3://bucket/flags", &["--s3-endpoint", &endpoint]);
        command.env("AWS_ACCESS_KEY_ID", "AK").env("AWS_SECRET_ACCESS_KEY", "SK");
        command
    };
    for (status, says) in [(500, "500"), (403, "check the credentials")] {
        answer_all(&broken, ResponseTemplate::new(status)).await;
        let run = finish(command(&broken)).await;
        assert_eq!((run.code, &run.json()["reason"]), (9, &"read-failed".into()), "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
        assert!(broken.received_requests().await.unwrap().len() <= 3);
    }
    let mut nobody = command(&broken);
    nobody.args(["--s3-endpoint", "http://127.0.0.1:1"]);
    let run = finish(nobody).await;
    assert!(run.code == 9 && run.stderr.contains("Connection refused"), "{run:?}");
    let mut anonymous = command(&broken);
    anonymous.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    anonymous.env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1");
    let run = finish(anonymous).await;
    assert!(run.code == 9 && run.stderr.contains("set AWS_ACCESS_KEY_ID"), "{run:?}");
    let missing = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code></Error>";
    answer_all(&broken, ResponseTemplate::new(404).set_body_string(missing)).await;
    let run = finish(command(&broken)).await;
    assert_eq!(run.code, 9, "a missing bucket is no empty store: {run:?}");
    assert!(run.stderr.contains("make the bucket"), "{run:?}");
}

async fn answer_all(server: &MockServer, response: ResponseTemplate) {
    server.reset().await;
    Mock::given(any()).respond_with(response).mount(server).await;
}
