//! Runs a target: cases, time, and what is kept of a failure.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

/// Cases of each target in a run that nobody asked more of.
const CASES: u32 = 1500;

/// More than the largest input takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The files of a folder of the corpus, in the order of their names.
pub(crate) fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no seeds", folder.display());
    paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

/// What is being tested now, and since when.
type Current = Mutex<Option<(Instant, Vec<u8>)>>;

/// Asks `check` about the input that `build` makes of each recipe. A panic in it, an error, and taking more
/// than [`LIMIT`] are failures.
pub(crate) fn fuzz<S: Strategy>(
    target: &str,
    recipes: S,
    build: impl Fn(&S::Value) -> Vec<u8>,
    check: impl Fn(&[u8]) -> Result<(), String>,
) where
    S::Value: Debug,
{
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(3);
    }
    let cases = config.cases;
    let current: Arc<Current> = Arc::default();
    watch(target, Arc::downgrade(&current));
    let ran = std::cell::Cell::new(0_u32);
    let started = Instant::now();
    let result = TestRunner::new(config).run(&recipes, |recipe| {
        let input = build(&recipe);
        *current.lock().unwrap() = Some((Instant::now(), input.clone()));
        ran.set(ran.get() + 1);
        let checked = check(&input).map_err(proptest::test_runner::TestCaseError::fail);
        *current.lock().unwrap() = None;
        checked
    });
    match result {
        Ok(()) => {
            assert!(ran.get() >= cases);
            println!("{target}: {} cases in {:?}", ran.get(), started.elapsed());
        }
        Err(TestError::Fail(reason, recipe)) => {
            let path = keep(target, &build(&recipe));
            panic!("{target}: {reason}\nthe smallest input that fails so is {}", path.display());
        }
        Err(TestError::Abort(reason)) => panic!("{target}: {reason}"),
    }
}

/// Writes an input that fails; make it a seed once it is understood.
fn keep(target: &str, input: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("failing-{target}"));
    std::fs::write(&path, input).expect("the input can be written");
    path
}

/// Ends the process when an input takes too long: nothing else can stop it.
fn watch(target: &str, current: std::sync::Weak<Current>) {
    let target = target.to_owned();
    std::thread::spawn(move || {
        while let Some(current) = current.upgrade() {
            if let Ok(current) = current.lock()
                && let Some((since, input)) = &*current
                && since.elapsed() > LIMIT
            {
                eprintln!(
                    "{target}: {} takes longer than {LIMIT:?}",
                    keep(&target, input).display()
                );
                std::process::exit(1);
            }
            drop(current);
            std::thread::sleep(Duration::from_millis(500));
        }
    });
}
