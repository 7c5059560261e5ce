//! What the estimate assumes of a run, counted on real ones.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use refresher::clock::SystemClock;
use refresher::commands::cost::{Calls, Run, Schedule};
use refresher::http::Timeouts;
use refresher::outcome::Status;
use refresher::refresh::{self, Job, Policy};
use refresher::retry::Patience;
use refresher::store::{
    Expected, Item, KvSettings, KvStore, MemoryStore, Store, StoreError, Stored,
};
use support::kv::{Asked, Kv};
use support::place::serve;
use support::upstream;
use wiremock::MockServer;

const PATIENCE: Patience =
    Patience { retries: 0, delay: Duration::ZERO, max_delay: Duration::ZERO };
/// For connecting, and for all of an answer.
const TIME: Duration = Duration::from_secs(5);

/// A store that counts.
#[derive(Clone, Default)]
struct Counting(Arc<(MemoryStore, Mutex<Calls>)>);

impl Counting {
    fn count(&self, change: impl FnOnce(&mut Calls)) {
        change(&mut self.0.1.lock().unwrap());
    }

    fn taken(&self) -> Calls {
        std::mem::take(&mut self.0.1.lock().unwrap())
    }
}

#[async_trait]
impl Store for Counting {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        self.count(|calls| calls.reads += 1);
        self.0.0.read(item).await
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        assert_ne!(*expected, Expected::Any, "every write names what it expects");
        self.count(|calls| calls.writes += 1);
        self.0.0.write(item, bytes, expected).await
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        self.count(|calls| calls.removes += 1);
        self.0.0.remove(item).await
    }

    fn describe(&self) -> String {
        "counting".to_owned()
    }
}

async fn refreshed(server: &MockServer, store: Box<dyn Store>, policy: &Policy) -> Status {
    let upstream = upstream(&server.uri(), PATIENCE, TIME, 1 << 20);
    let job = Job { policy: policy.clone(), upstream, stores: vec![store] };
    let report = refresh::run(&job, &SystemClock).await;
    assert_eq!(report.stores[0].warnings, Vec::<String>::new());
    report.status
}

/// Every way to run, with the policy that makes it so.
fn schedules() -> impl Iterator<Item = (Schedule, Policy)> {
    (0..8).map(|bits: u8| {
        let (history, lease, node_cache) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let schedule = Schedule {
            interval: Duration::from_secs(60),
            heartbeat: None,
            changes_per_day: 20,
            history,
            lease,
            node_cache,
            etag: true,
        };
        let policy = Policy {
            history: if history { 2 } else { 0 },
            lease: lease.then(|| Duration::from_secs(60)),
            node_cache,
            ..Policy::default()
        };
        (schedule, policy)
    })
}

const RUNS: [(Run, Status); 3] = [
    (Run::Changed, Status::Updated),
    (Run::Unchanged, Status::Unchanged),
    (Run::Renewed, Status::Unchanged),
];

#[tokio::test]
async fn the_estimate_counts_what_refreshes_ask_of_a_store() {
    let server = MockServer::start().await;
    for (schedule, policy) in schedules() {
        let store = Counting::default();
        // As many versions as there may be.
        for flags in 1..=3 {
            serve(&server, flags).await;
            refreshed(&server, Box::new(store.clone()), &policy).await;
        }
        serve(&server, 4).await;
        store.taken();
        for (run, status) in RUNS {
            let heartbeat = (run == Run::Renewed).then_some(Duration::ZERO);
            let policy = Policy { heartbeat, ..policy.clone() };
            assert_eq!(refreshed(&server, Box::new(store.clone()), &policy).await, status);
            assert_eq!(store.taken(), schedule.calls(run), "{run:?} of {schedule:?}");
        }
    }
}

#[tokio::test]
async fn the_estimate_counts_requests_to_workers_kv() {
    let (server, kv) = (MockServer::start().await, Kv::start().await);
    let store = || {
        let settings = KvSettings {
            base: kv.server.uri(),
            account: None,
            token: None,
            namespace: "ns".to_owned(),
            key: "flagpost".to_owned(),
            patience: PATIENCE,
            timeouts: Timeouts { connect: TIME, total: TIME },
        };
        Box::new(KvStore::new(settings).unwrap())
    };
    for (schedule, policy) in schedules() {
        kv.state.lock().unwrap().values.clear();
        for flags in 1..=3 {
            serve(&server, flags).await;
            refreshed(&server, store(), &policy).await;
        }
        serve(&server, 4).await;
        kv.asked();
        for (run, status) in RUNS {
            let heartbeat = (run == Run::Renewed).then_some(Duration::ZERO);
            let policy = Policy { heartbeat, ..policy.clone() };
            assert_eq!(refreshed(&server, store(), &policy).await, status);
            let calls = schedule.calls(run);
            // As `Schedule::store` says: each write reads what it replaces.
            let expected = Asked {
                gets: calls.reads + calls.writes,
                puts: calls.writes,
                deletes: calls.removes,
            };
            assert_eq!(kv.asked(), expected, "{run:?} of {schedule:?}");
        }
    }
}

#[tokio::test]
async fn posthog_is_asked_once_a_run_and_sends_definitions_only_when_they_changed() {
    let (server, store) = (MockServer::start().await, Counting::default());
    serve(&server, 2).await;
    for _ in 0..3 {
        refreshed(&server, Box::new(store.clone()), &Policy::default()).await;
    }
    let asked = server.received_requests().await.unwrap();
    let conditional: Vec<_> =
        asked.iter().map(|request| request.headers.contains_key("If-None-Match")).collect();
    assert_eq!(conditional, [false, true, true]);
}
