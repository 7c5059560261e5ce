//! The fault matrix: the real program against a PostHog and stores that misbehave, killed at any
//! moment. After every run the stored snapshot is whole and is one that PostHog served.
//!
//! `FLAGPOST_MATRIX_RUNS` sets how many faulted runs there are, `FLAGPOST_MATRIX_SEED` where the faults
//! begin.

mod support;

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use refresher::history::{self, History};
use refresher::node_cache;
use refresher::snapshot::Held;
use refresher::store::{Item, Store};
use serde_json::Value;
use support::proxy::Proxy;
use support::random::Random;
use support::stage::{Stage, numbered};
use support::{PROJECT_KEY, Run, opened, refresh, s3};

const HISTORY: usize = 4;
const LEASE: Duration = Duration::from_secs(1);

/// One store with its own PostHog, refreshed by one process after another.
struct Lane {
    name: String,
    store: String,
    environment: HashMap<&'static str, String>,
    arguments: Vec<&'static str>,
    /// The same store without anything in between.
    direct: Box<dyn Store>,
    stage: Stage,
    proxy: Option<Proxy>,
    random: Random,
    /// How long a whole run takes.
    length: Duration,
    /// The newest number that was stored; 0 before the first.
    newest: usize,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    runs: usize,
    faulted: usize,
    killed: usize,
    stored: usize,
}

impl Lane {
    fn leased(&self) -> bool {
        self.arguments.contains(&"--lease")
    }

    fn mirrors(&self) -> bool {
        self.arguments.contains(&"--posthog-node-cache")
    }

    /// Runs until so many runs met a fault, and then once without any.
    async fn go(mut self, faulted: usize) -> (String, Counts, HashMap<&'static str, usize>) {
        self.run(None).await;
        self.misbehave(true);
        while self.counts.faulted < faulted {
            let kill = self.random.percent(45).then(|| {
                let share = self.random.below(1100) as f64 / 1000.0;
                self.length.mul_f64(share)
            });
            self.run(kill).await;
            assert!(self.counts.runs < 20 * faulted + 20, "{}: {:?}", self.name, self.counts);
        }
        self.misbehave(false);
        let last = self.run(None).await;
        assert_eq!(last.code, 0, "{}: nothing stops a good run: {last:?}", self.name);
        let number = self.stage.state().served.values().map(|served| served.number).max();
        assert_eq!(Some(self.newest), number, "{}: it stored the newest: {last:?}", self.name);
        assert_eq!(last.store()["status"], "updated", "{}: {last:?}", self.name);
        if self.mirrors() {
            assert_eq!(self.cached().await, number, "{}: {last:?}", self.name);
        }
        let state = self.stage.state();
        (self.name, self.counts, state.faults.clone())
    }

    fn misbehave(&self, faulty: bool) {
        self.stage.state().faulty = faulty;
        if let Some(proxy) = &self.proxy {
            proxy.way.faulty.store(faulty, Ordering::SeqCst);
        }
    }

    fn faults(&self) -> usize {
        let carried = self.proxy.as_ref().map(|proxy| proxy.way.faults.load(Ordering::SeqCst));
        self.stage.faults() + carried.unwrap_or_default()
    }

    async fn run(&mut self, kill: Option<Duration>) -> Run {
        let faulty = self.stage.state().faulty;
        let mut command = refresh(&self.stage.host, &self.store, &self.arguments);
        command.envs(&self.environment);
        let impatient = ["--retries", "1", "--timeout", "300ms", "--max-size", "1"];
        command.args(if faulty { &impatient } else { &["--timeout", "60s"][..] });
        let (before, began) = (self.faults(), Instant::now());
        let run = ended(command, kill).await;
        let killed = run.code == -1;
        match kill {
            None if self.faults() == before => self.length = began.elapsed(),
            _ => {}
        }
        self.counts.runs += 1;
        self.counts.killed += usize::from(killed);
        self.counts.faulted += usize::from(killed || self.faults() > before);
        if let Some(proxy) = &self.proxy {
            while proxy.way.busy.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        if killed && self.leased() {
            tokio::time::sleep(LEASE).await;
        }
        self.check(&run, killed).await;
        run
    }

    /// What must hold after every run.
    async fn check(&mut self, run: &Run, killed: bool) {
        let name = format!("{} run {}", self.name, self.counts.runs);
        let reported = (!killed).then(|| run.store());
        let stored = self.direct.read(&Item::Current).await.unwrap();
        let Some(stored) = stored else {
            assert_eq!(self.newest, 0, "{name}: the snapshot is gone: {run:?}");
            return;
        };
        let held = Held::open(stored).unwrap_or_else(|error| panic!("{name}: {error}: {run:?}"));
        held.ruleset().unwrap_or_else(|error| panic!("{name}: {error}: {run:?}"));
        let number = self.number(&name, &held);
        assert!(number >= self.newest, "{name}: {number} is older than {}: {run:?}", self.newest);
        self.counts.stored += usize::from(number > self.newest);
        self.newest = number;
        if let Some(reported) = reported {
            let done = ["updated", "unchanged"].contains(&reported["status"].as_str().unwrap());
            assert!(
                !done || reported["snapshot"]["digest"] == held.header.digest,
                "{name}: {run:?}"
            );
            assert_eq!(
                run.code == 0,
                reported["status"] != "error" && reported["status"] != "stale"
            );
            // Of one process after another none meets another.
            assert_ne!(reported["reason"], "leased", "{name}: a lease stayed behind: {run:?}");
        }
        if let Some(list) = self.direct.read(&Item::History).await.unwrap() {
            let list: History = serde_json::from_slice(&list.bytes).unwrap();
            assert!(list.versions.len() <= HISTORY, "{name}: {list:?}");
            for entry in list.versions {
                let version = history::version(self.direct.as_ref(), &entry.digest).await;
                let version = version.unwrap_or_else(|error| panic!("{name}: {error}: {run:?}"));
                version.ruleset().unwrap();
                self.number(&name, &version);
            }
        }
        if self.mirrors() {
            self.cached().await;
        }
    }

    /// Which of the definitions served a snapshot holds, under the name they were served with.
    fn number(&self, name: &str, held: &Held) -> usize {
        let state = self.stage.state();
        let served = state.served.get(&held.header.digest);
        let served = served.unwrap_or_else(|| panic!("{name}: never served: {:?}", held.header));
        assert_eq!(held.header.etag.as_ref(), Some(&served.etag), "{name}");
        served.number
    }

    /// Which definitions are in posthog-node's cache, if any.
    async fn cached(&self) -> Option<usize> {
        let item = Item::NodeCache(PROJECT_KEY.to_owned());
        let cached = self.direct.read(&item).await.unwrap()?.bytes;
        let numbers = 1..=self.newest;
        let is = |number: &usize, versioned| {
            let definitions = numbered(*number, versioned);
            node_cache::from_definitions(definitions.as_bytes()).unwrap() == cached
        };
        let found = numbers.rev().find(|number| is(number, true) || is(number, false));
        assert!(found.is_some(), "{}: posthog-node's cache holds something else", self.name);
        found
    }
}

/// Runs a program to its end, or until it is killed; the code is -1 then.
async fn ended(mut command: Command, kill: Option<Duration>) -> Run {
    let run = move || {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(after) = kill {
            std::thread::sleep(after);
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn setting(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok().filter(|text| !text.is_empty());
    given.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Where the matrix's stores are.
struct Stores {
    folder: tempfile::TempDir,
    s3: s3::S3,
    /// A local KV's address and namespace.
    kv: Option<[String; 2]>,
}

impl Stores {
    /// A lane's address and environment, directly and by the proxy it gets.
    async fn lane(&self, kind: &str, index: usize, seed: u64) -> Lane {
        let mut random = Random::new(seed.wrapping_add(index as u64 * 7919));
        let name = format!("{kind}-{index}");
        let unique = format!("{name}-{}", std::process::id());
        let (store, environment, variable) = match kind.trim_end_matches("-faulty") {
            "file" => (format!("file:{}#{name}", self.folder.path().display()), HashMap::new(), ""),
            "s3" => {
                let environment = HashMap::from(s3::environment(&self.s3));
                (format!("s3://{}/{unique}", s3::BUCKET), environment, "AWS_ENDPOINT_URL_S3")
            }
            _ => {
                let [base, namespace] = self.kv.clone().unwrap();
                let environment = HashMap::from([("CLOUDFLARE_API_BASE_URL", base)]);
                (format!("kv:{namespace}/{unique}"), environment, "CLOUDFLARE_API_BASE_URL")
            }
        };
        let direct = opened(&store, &environment);
        let mut through = environment.clone();
        let mut proxy = None;
        if kind.ends_with("-faulty") {
            let address = url::Url::parse(&environment[variable]).unwrap();
            let origin = address.origin().ascii_serialization();
            let before = Proxy::start(&origin, random.next()).await;
            let path = address.path().trim_end_matches('/');
            through.insert(variable, format!("{}{path}", before.address));
            proxy = Some(before);
        }
        let mut arguments = vec!["--history", "4"];
        arguments.extend(match index % 3 {
            0 => &["--heartbeat", "1ms"][..],
            // Its key is the project's, so only one lane of a namespace or folder can have it.
            1 if proxy.is_none() => &["--posthog-node-cache"],
            2 if proxy.is_none() => &["--lease", "1s"],
            _ => &[],
        });
        Lane {
            stage: Stage::start(random.next(), index.is_multiple_of(2)).await,
            length: Duration::from_millis(100),
            newest: 0,
            counts: Counts::default(),
            environment: through,
            name,
            store,
            arguments,
            direct,
            proxy,
            random,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_faulted_run_loses_a_good_snapshot() {
    let seed = setting("FLAGPOST_MATRIX_SEED", 4);
    let wanted = setting("FLAGPOST_MATRIX_RUNS", 520) as usize;
    let kv = support::served("FLAGPOST_TEST_KV_BASE", "FLAGPOST_TEST_KV_NAMESPACE");
    let stores = Stores { folder: tempfile::tempdir().unwrap(), s3: s3::start().await, kv };
    let mut kinds = vec!["file", "file", "file", "s3", "s3", "s3"];
    kinds.extend(["s3-faulty"; 6]);
    if stores.kv.is_some() {
        kinds.extend(["kv", "kv", "kv", "kv-faulty", "kv-faulty", "kv-faulty"]);
    }
    let each = wanted.div_ceil(kinds.len());
    let began = Instant::now();
    let mut lanes = Vec::new();
    for (index, kind) in kinds.into_iter().enumerate() {
        lanes.push(tokio::spawn(stores.lane(kind, index, seed).await.go(each)));
    }
    let (mut total, mut by_fault) = (Counts::default(), HashMap::<_, usize>::new());
    for lane in lanes {
        let (name, counts, faults) = lane.await.unwrap();
        support::say(&format!("matrix: {name}: {counts:?}"));
        total.runs += counts.runs;
        total.faulted += counts.faulted;
        total.killed += counts.killed;
        total.stored += counts.stored;
        faults.into_iter().for_each(|(fault, count)| *by_fault.entry(fault).or_default() += count);
    }
    support::say(&format!(
        "matrix: {} runs, {} faulted ({} killed), {} new snapshots, 0 lost; {} kinds of wrong answers; seed {seed}, {:.0} s",
        total.runs,
        total.faulted,
        total.killed,
        total.stored,
        by_fault.len(),
        began.elapsed().as_secs_f64()
    ));
    assert!(total.faulted >= wanted && total.killed * 10 >= wanted, "{total:?}");
    assert!(total.stored * 5 >= wanted, "there was something to lose: {total:?}");
    assert!(by_fault.len() >= 26 || wanted < 200, "{by_fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_store_that_fails_does_not_keep_the_others_from_being_right() {
    let stage = Stage::start(1, false).await;
    let bucket = s3::start().await;
    let folders = [support::Folder::new(), support::Folder::new()];
    let good = opened(&format!("s3://{}/good", s3::BUCKET), &s3::environment(&bucket).into());
    std::fs::create_dir(folders[1].path()).unwrap();
    for round in 1..=3 {
        let mut command = refresh(&stage.host, &folders[0].store, &[]);
        command.args(["--store", &folders[1].store, "--store", "s3://flags/good"]);
        command.envs(s3::environment(&bucket));
        let run = support::finish(command).await;
        let json: Value = run.json();
        assert_eq!((run.code, &json["reason"]), (12, &"partial".into()), "{run:?}");
        let column = |name: &str| -> Vec<Value> {
            json["stores"].as_array().unwrap().iter().map(|store| store[name].clone()).collect()
        };
        assert_eq!(column("status"), ["updated", "error", "updated"], "{run:?}");
        assert_eq!(column("reason"), [Value::Null, "read-failed".into(), Value::Null], "{run:?}");
        assert!(json["message"].as_str().unwrap().contains("1 of 3 stores failed"), "{run:?}");
        assert_eq!(folders[0].open().1, numbered(round, false));
        let stored = good.read(&Item::Current).await.unwrap().unwrap();
        assert_eq!(Held::open(stored).unwrap().definitions(), numbered(round, false).as_bytes());
    }
    std::fs::remove_dir(folders[1].path()).unwrap();
    let mut command = refresh(&stage.host, &folders[0].store, &[]);
    command.args(["--store", &folders[1].store]);
    let run = support::finish(command).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(folders[1].open().1, numbered(4, false), "made good by the next run");
}
