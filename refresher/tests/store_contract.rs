//! One contract that every store keeps. Each store is met as it is in production, its server included.

mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use refresher::store::{Expected, Item, MemoryStore, Store, StoreError};
use support::{age, opened, s3, served};

/// What a store promises beyond the contract's core.
#[derive(Clone, Copy, PartialEq)]
enum Conditions {
    /// Of writers that expect the same, one succeeds.
    Atomic,
    /// The expectation is compared shortly before the write.
    Compared,
}

/// The contract. `open` gives the store behind a name; names are used once.
async fn contract(conditions: Conditions, open: impl Fn(&str) -> Box<dyn Store>) {
    // Nothing there yet.
    let store = open("plain");
    assert_eq!(
        store.read(&Item::Current).await.unwrap(),
        None,
        "an unwritten store reads as nothing"
    );

    // Written, it reads back.
    store.write(&Item::Current, b"first", &Expected::Absent).await.unwrap();
    let first = store.read(&Item::Current).await.unwrap().unwrap();
    assert_eq!(first.bytes, b"first");
    assert_eq!(
        store.read(&Item::Current).await.unwrap().unwrap().version,
        first.version,
        "the version stays while the content does"
    );

    // What is there is not what is expected.
    let conflict = store.write(&Item::Current, b"second", &Expected::Absent).await;
    assert!(matches!(conflict, Err(StoreError::Conflict)), "{conflict:?}");
    assert_eq!(
        store.read(&Item::Current).await.unwrap().unwrap().bytes,
        b"first",
        "a conflict changes nothing"
    );

    // It is what is expected.
    store.write(&Item::Current, b"second", &Expected::Is(first.version.clone())).await.unwrap();
    let second = store.read(&Item::Current).await.unwrap().unwrap();
    assert_eq!(second.bytes, b"second");
    assert_ne!(second.version, first.version, "the version changes with the content");

    // It is what was there before.
    let conflict =
        store.write(&Item::Current, b"third", &Expected::Is(first.version.clone())).await;
    assert!(matches!(conflict, Err(StoreError::Conflict)), "{conflict:?}");
    assert_eq!(store.read(&Item::Current).await.unwrap().unwrap().bytes, b"second");

    // It does not matter.
    store.write(&Item::Current, b"third", &Expected::Any).await.unwrap();
    assert_eq!(store.read(&Item::Current).await.unwrap().unwrap().bytes, b"third");

    // Something is expected where nothing is.
    let conflict = open("missing").write(&Item::Current, b"x", &Expected::Is(first.version)).await;
    assert!(matches!(conflict, Err(StoreError::Conflict)), "{conflict:?}");
    assert_eq!(open("missing").read(&Item::Current).await.unwrap(), None);

    // Any bytes, and many of them.
    let big: Vec<u8> =
        (0..5_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let store = open("big");
    store.write(&Item::Current, &big, &Expected::Absent).await.unwrap();
    assert!(
        store.read(&Item::Current).await.unwrap().unwrap().bytes == big,
        "5 MB read back as they were"
    );
    store.write(&Item::Current, b"", &Expected::Any).await.unwrap();
    assert_eq!(
        store.read(&Item::Current).await.unwrap().unwrap().bytes,
        b"",
        "no bytes are content too"
    );

    // Items of one store stay apart, and can be removed.
    let store = open("items");
    let items = [
        Item::Current,
        Item::Version("a".repeat(64)),
        Item::Version("b".repeat(64)),
        Item::History,
        Item::Lease,
        Item::NodeCache(format!("phc_{}", std::process::id())),
    ];
    for item in &items {
        assert_eq!(store.read(item).await.unwrap(), None, "{item:?}");
        store.write(item, format!("{item:?}").as_bytes(), &Expected::Absent).await.unwrap();
    }
    for item in &items {
        let stored = store.read(item).await.unwrap().unwrap();
        assert_eq!(stored.bytes, format!("{item:?}").into_bytes());
    }
    for item in &items {
        store.remove(item).await.unwrap();
        assert_eq!(store.read(item).await.unwrap(), None, "{item:?} is removed");
        store.remove(item).await.unwrap();
    }
    store.write(&Item::Current, b"again", &Expected::Absent).await.unwrap();

    // Names with a slash and other letters are names, and stay apart.
    for name in ["a/b", "a/c", "a b+%2F?#ü"] {
        open(name).write(&Item::Current, name.as_bytes(), &Expected::Absent).await.unwrap();
    }
    for name in ["a/b", "a/c", "a b+%2F?#ü"] {
        assert_eq!(open(name).read(&Item::Current).await.unwrap().unwrap().bytes, name.as_bytes());
        let address = open(name).describe();
        assert!(address == "memory:" || address.contains(name), "{address}");
    }

    let writers = (0..8u8).map(|n| {
        let store = open("race");
        tokio::spawn(
            async move { store.write(&Item::Current, &[n; 1000], &Expected::Absent).await },
        )
    });
    let mut won = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Ok(()) => won += 1,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let left = open("race").read(&Item::Current).await.unwrap().unwrap().bytes;
    assert!(
        left.len() == 1000 && left.iter().all(|byte| *byte == left[0]),
        "one whole value is left"
    );
    if conditions == Conditions::Atomic {
        assert_eq!(won, 1, "one of eight writers that expect nothing there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let address = |name: &str| format!("file:{}/made/on/demand#{name}", folder.path().display());
    contract(Conditions::Atomic, |name| opened(&address(name), &HashMap::new())).await;
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let stores: Mutex<HashMap<String, Arc<MemoryStore>>> = Mutex::default();
    contract(Conditions::Atomic, |name| {
        let mut stores = stores.lock().unwrap();
        Box::new(stores.entry(name.to_owned()).or_default().clone())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_keeps_the_contract() {
    let server = s3::start().await;
    let environment = HashMap::from(s3::environment(&server));
    contract(Conditions::Atomic, |name| {
        opened(&format!("s3://{}/{name}", s3::BUCKET), &environment)
    })
    .await;
}

/// Needs a local KV with Cloudflare's API, such as `wrangler dev` serves: its address in
/// `FLAGPOST_TEST_KV_BASE`, a namespace in `FLAGPOST_TEST_KV_NAMESPACE`.
#[tokio::test(flavor = "multi_thread")]
async fn workers_kv_keeps_the_contract() {
    let Some([base, namespace]) = served("FLAGPOST_TEST_KV_BASE", "FLAGPOST_TEST_KV_NAMESPACE")
    else {
        return;
    };
    let age = age();
    let environment = HashMap::from([("CLOUDFLARE_API_BASE_URL", base)]);
    contract(Conditions::Compared, |name| {
        opened(&format!("kv:{namespace}/contract-{age}-{name}"), &environment)
    })
    .await;
}

/// Needs the npm package's functions behind Convex's HTTP API: the deployment's address in
/// `FLAGPOST_TEST_CONVEX_URL`, its deploy key in `FLAGPOST_TEST_CONVEX_KEY`.
#[tokio::test(flavor = "multi_thread")]
async fn convex_keeps_the_contract() {
    let Some([url, key]) = served("FLAGPOST_TEST_CONVEX_URL", "FLAGPOST_TEST_CONVEX_KEY") else {
        return;
    };
    let age = age();
    let environment = HashMap::from([("CONVEX_DEPLOY_KEY", key)]);
    let open = |name: &str| opened(&format!("convex:{url}#contract-{age}-{name}"), &environment);
    contract(Conditions::Atomic, open).await;

    // More than one transaction can read or write.
    let (store, item) = (open("large"), Item::Version("c".repeat(64)));
    for (byte, megabytes) in [(7u8, 17), (8, 2)] {
        let large = vec![byte; megabytes << 20];
        store.write(&item, &large, &Expected::Any).await.unwrap();
        assert!(store.read(&item).await.unwrap().unwrap().bytes == large, "{megabytes} MiB");
    }
    store.remove(&item).await.unwrap();
    // But readers must be able to read the snapshot in one.
    let refused = store.write(&Item::Current, &vec![0; 16 << 20], &Expected::Any).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
}
