//! Many refreshers at once, with answers of PostHog that overtake each other: the newest wins.

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use refresher::clock::SystemClock;
use refresher::node_cache;
use refresher::outcome::{Exit, Outcome, Status};
use refresher::refresh::{self, Job, Policy};
use refresher::retry::Patience;
use refresher::snapshot::Held;
use refresher::store::{Item, Store};
use support::random::Random;
use support::stage::numbered;
use support::web::{Answer, serve};
use support::{PROJECT_KEY, Run, finish, opened, refresh, s3, upstream};
use tokio::sync::RwLock;

/// Held by all but one for reading: what a lease of KV is worth depends on time, so that its test has
/// the machine to itself.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// A PostHog that changes its definitions so many times in all, one change with each request, and
/// lets each answer take another time.
struct Moving {
    host: String,
    /// The newest number that it answered with.
    newest: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl Moving {
    async fn start(seed: u64, versioned: bool, changes: usize) -> Moving {
        let (newest, asked) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (mine, counter) = (newest.clone(), asked.clone());
        let host = serve(move |request| {
            let arrived = counter.fetch_add(1, Ordering::SeqCst) + 1;
            let number = arrived.min(changes);
            mine.fetch_max(number, Ordering::SeqCst);
            let mut random = Random::new(seed.wrapping_mul(31).wrapping_add(arrived as u64));
            let delay = Duration::from_millis(random.below(400));
            async move {
                tokio::time::sleep(delay).await;
                let etag = format!("\"{number}\"");
                Some(if request.header("if-none-match") == Some(&etag) {
                    Answer::new(304, "").header("ETag", &etag)
                } else {
                    Answer::new(200, numbered(number, versioned)).header("ETag", &etag)
                })
            }
        })
        .await;
        Moving { host, newest, asked }
    }

    fn job(&self, store: Box<dyn Store>, policy: Policy) -> Job {
        let time = Duration::from_secs(60);
        let patience = Patience { retries: 3, delay: Duration::from_millis(10), max_delay: time };
        let upstream = upstream(&self.host, patience, time, 1 << 20);
        Job { policy, upstream, stores: vec![store] }
    }

    /// What is stored is the newest of what was answered.
    async fn assert_newest(&self, store: &dyn Store, versioned: bool, about: &str) {
        let held = Held::open(store.read(&Item::Current).await.unwrap().unwrap()).unwrap();
        let newest = self.newest.load(Ordering::SeqCst);
        let found = (1..=newest)
            .rev()
            .find(|number| numbered(*number, versioned).as_bytes() == held.definitions());
        assert_eq!(found, Some(newest), "{about}");
        assert_eq!(held.header.etag, Some(format!("\"{newest}\"")), "{about}");
    }
}

/// So many jobs at once, each with a client of its own; gives what became of them.
async fn jobs(
    count: usize,
    posthog: &Moving,
    policy: &Policy,
    open: impl Fn() -> Box<dyn Store>,
) -> Vec<Outcome> {
    let running = (0..count).map(|_| {
        let job = posthog.job(open(), policy.clone());
        tokio::spawn(async move { refresh::run(&job, &SystemClock).await.stores.remove(0) })
    });
    let mut outcomes = Vec::new();
    for job in running.collect::<Vec<_>>() {
        outcomes.push(job.await.unwrap());
    }
    outcomes
}

/// Two hundred at once, with versions and without, each seed with a store of its own.
async fn two_hundred(kind: &str, open: impl Fn(&str) -> Box<dyn Store>) {
    // Without versions a refresher that met another asks again, and an answer that is newer each time
    // would let all of them write one after another: there are as many changes as refreshers.
    for (seed, versioned, changes) in [(1, true, usize::MAX), (2, false, 200)] {
        let began = Instant::now();
        let posthog = Moving::start(seed, versioned, changes).await;
        let name = format!("seed-{seed}");
        let policy = Policy { node_cache: kind == "file", ..Policy::default() };
        let outcomes = jobs(200, &posthog, &policy, || open(&name)).await;
        let mut by_status = HashMap::<_, usize>::new();
        for outcome in &outcomes {
            assert_eq!(outcome.exit(), Exit::Ok, "{kind}, seed {seed}: {outcome:?}");
            *by_status.entry(outcome.status.as_str()).or_default() += 1;
        }
        let about = format!(
            "concurrent: 200 on {kind}, seed {seed}, versions {versioned}: {by_status:?}, {} requests to posthog, {:.1} s",
            posthog.asked.load(Ordering::SeqCst),
            began.elapsed().as_secs_f64()
        );
        support::say(&about);
        let store = open(&name);
        posthog.assert_newest(store.as_ref(), versioned, &about).await;
        assert!(by_status.get("updated").is_some_and(|count| *count >= 2), "they met: {about}");
        if policy.node_cache {
            let cached = store.read(&Item::NodeCache(PROJECT_KEY.to_owned())).await.unwrap();
            let newest = numbered(posthog.newest.load(Ordering::SeqCst), versioned);
            let expected = node_cache::from_definitions(newest.as_bytes()).unwrap();
            assert!(cached.unwrap().bytes == expected, "posthog-node's cache is as new: {about}");
        }
        let list = refresher::history::read(store.as_ref()).await.unwrap();
        assert!((1..=10).contains(&list.versions.len()), "{about}: {list:?}");
        for entry in &list.versions {
            let version = refresher::history::version(store.as_ref(), &entry.digest).await;
            version.unwrap_or_else(|error| panic!("{about}: {error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_refreshers_of_a_folder_the_newest_wins() {
    let _shared = MACHINE.read().await;
    let folder = tempfile::tempdir().unwrap();
    two_hundred("file", |name| {
        opened(&format!("file:{}/{name}", folder.path().display()), &HashMap::new())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_refreshers_of_a_bucket_the_newest_wins() {
    let _shared = MACHINE.read().await;
    let server = s3::start().await;
    let environment = s3::environment(&server).into();
    two_hundred("s3", |name| opened(&format!("s3://{}/{name}", s3::BUCKET), &environment)).await;
}

/// Where whoever asks again gets something newer still.
#[tokio::test(flavor = "multi_thread")]
async fn of_refreshers_whose_answers_never_stay_the_same_the_newest_wins() {
    let _shared = MACHINE.read().await;
    let folder = tempfile::tempdir().unwrap();
    for seed in 1..=3 {
        let open = || opened(&format!("file:{}#{seed}", folder.path().display()), &HashMap::new());
        let posthog = Moving::start(seed, false, usize::MAX).await;
        let outcomes = jobs(12, &posthog, &Policy::default(), open).await;
        assert!(outcomes.iter().all(|outcome| outcome.exit() == Exit::Ok), "{outcomes:?}");
        posthog.assert_newest(open().as_ref(), false, &format!("{outcomes:?}")).await;
    }
}

/// The whole program, as many processes as a small machine bears.
#[tokio::test(flavor = "multi_thread")]
async fn of_forty_processes_the_newest_wins() {
    let _shared = MACHINE.read().await;
    let server = s3::start().await;
    let folder = tempfile::tempdir().unwrap();
    let environment: HashMap<_, _> = s3::environment(&server).into();
    let stores = [format!("file:{}", folder.path().display()), "s3://flags/processes".to_owned()];
    for (versioned, store) in [(true, &stores[0]), (false, &stores[1])] {
        let posthog = Moving::start(7, versioned, usize::MAX).await;
        let runs = (0..40).map(|_| {
            let mut command = refresh(&posthog.host, store, &[]);
            command.envs(&environment);
            tokio::spawn(finish(command))
        });
        for run in runs.collect::<Vec<_>>() {
            let run: Run = run.await.unwrap();
            assert_eq!(run.code, 0, "{run:?}");
        }
        let opened = opened(store, &environment);
        posthog.assert_newest(opened.as_ref(), versioned, store).await;
    }
}

/// KV compares shortly before it writes, so of two that write at the same moment the older may stay.
/// What is there is whole and was served; one run afterwards, alone, makes it the newest; and with a
/// lease only one refreshes at a time.
#[tokio::test(flavor = "multi_thread")]
async fn ten_refreshers_of_workers_kv_leave_a_whole_snapshot_that_the_next_run_makes_the_newest() {
    let Some([base, namespace]) =
        support::served("FLAGPOST_TEST_KV_BASE", "FLAGPOST_TEST_KV_NAMESPACE")
    else {
        return;
    };
    let _alone = MACHINE.write().await;
    let environment = HashMap::from([("CLOUDFLARE_API_BASE_URL", base)]);
    for (seed, lease) in [(1u64, None), (2, None), (3, None), (4, Some(Duration::from_secs(30)))] {
        let key = format!("concurrent-{}-{seed}", std::process::id());
        let open = || opened(&format!("kv:{namespace}/{key}"), &environment);
        let posthog = Moving::start(seed, seed.is_multiple_of(2), usize::MAX).await;
        let policy = Policy { lease, ..Policy::default() };
        let outcomes = jobs(10, &posthog, &policy, open).await;
        let statuses: Vec<_> = outcomes.iter().map(|outcome| outcome.status).collect();
        let held = Held::open(open().read(&Item::Current).await.unwrap().unwrap()).unwrap();
        let newest = posthog.newest.load(Ordering::SeqCst);
        let served =
            |number| numbered(number, seed.is_multiple_of(2)).into_bytes() == held.definitions();
        let found = (1..=newest).find(|number| served(*number));
        support::say(&format!(
            "concurrent: 10 on kv, seed {seed}, lease {lease:?}: number {found:?} of {newest} stays, {statuses:?}"
        ));
        assert!(found.is_some(), "{statuses:?}");
        if lease.is_some() {
            let asked = posthog.asked.load(Ordering::SeqCst);
            let let_in = statuses.iter().filter(|status| **status != Status::Skipped).count();
            assert_eq!((let_in, asked, newest), (1, 1, 1), "one at a time: {outcomes:?}");
            assert_eq!(open().read(&Item::Lease).await.unwrap(), None, "it was given back");
        } else {
            assert!(outcomes.iter().all(|outcome| outcome.exit() == Exit::Ok), "{outcomes:?}");
        }
        let after = jobs(1, &posthog, &policy, open).await;
        assert_eq!(after[0].status, Status::Updated, "{after:?}");
        posthog.assert_newest(open().as_ref(), seed.is_multiple_of(2), "after one more run").await;
    }
}
