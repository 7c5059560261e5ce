/** What every store that processes share has to do, asked of the providers on it. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onFlag } from "./snapshots.mjs";
import { PROJECT_KEY, STORES } from "./stores.mjs";

const FLAGS = { flags: [onFlag("a")], group_type_mapping: {}, cohorts: {} };
const MORE = { ...FLAGS, flags: [onFlag("a"), onFlag("b")] };

/** Opens a store with `count` providers on it, and what they reported. */
async function withCaches(open, count, options, work) {
  const store = open();
  const errors = [];
  const caches = Array.from({ length: count }, () => store.cache({ onError: (error) => errors.push(error), ...options }));
  try {
    await work(caches, store, errors);
  } finally {
    await Promise.all(caches.map((cache) => cache.shutdown()));
    await store.close();
  }
}

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: of many that ask at once one is to fetch, and goes on being the one`, async () => {
    await withCaches(open, 20, { lockSeconds: 60 }, async (caches, store, errors) => {
      await store.write(JSON.stringify(FLAGS));
      const first = await Promise.all(caches.map((cache) => cache.shouldFetchFlagDefinitions()));
      assert.equal(first.filter(Boolean).length, 1);
      for (let turn = 0; turn < 3; turn++) {
        assert.deepEqual(await Promise.all(caches.map((cache) => cache.shouldFetchFlagDefinitions())), first);
      }
      assert.deepEqual(errors, []);
    });
  });

  test(`${name}: those that find nothing wait for the one that fetches, and read what it stored`, async () => {
    await withCaches(open, 3, { lockSeconds: 60, patienceSeconds: 60 }, async ([leader, ...others]) => {
      assert.equal(await leader.shouldFetchFlagDefinitions(), true);
      const waiting = others.map((cache) => cache.shouldFetchFlagDefinitions());
      await leader.onFlagDefinitionsReceived(FLAGS);
      assert.deepEqual(await Promise.all(waiting), [false, false]);
      for (const cache of others) assert.deepEqual((await cache.getFlagDefinitions()).flags, FLAGS.flags);
    });
  });

  test(`${name}: who waits in vain fetches too, and fills the store`, async () => {
    await withCaches(open, 2, { lockSeconds: 60, patienceSeconds: 0 }, async ([leader, other]) => {
      assert.equal(await leader.shouldFetchFlagDefinitions(), true);
      assert.equal(await other.shouldFetchFlagDefinitions(), true);
      await other.onFlagDefinitionsReceived(FLAGS);
      assert.deepEqual((await leader.getFlagDefinitions()).flags, FLAGS.flags);
    });
  });

  test(`${name}: a lock is given back at shutdown, by its owner alone`, async () => {
    await withCaches(open, 3, { lockSeconds: 60 }, async ([first, second, third], store) => {
      await store.write(JSON.stringify(FLAGS));
      assert.equal(await first.shouldFetchFlagDefinitions(), true);
      await second.shutdown();
      assert.equal(await third.shouldFetchFlagDefinitions(), false);
      await first.shutdown();
      assert.equal(await third.shouldFetchFlagDefinitions(), true);
      assert.equal(await first.shouldFetchFlagDefinitions(), false);
    });
  });

  test(`${name}: an expired lock is taken over by one, and its former owner neither writes nor unlocks any more`, async () => {
    await withCaches(open, 1, { lockSeconds: 1 }, async ([former], store) => {
      assert.equal(await former.shouldFetchFlagDefinitions(), true);
      await former.onFlagDefinitionsReceived(FLAGS);
      await sleep(1100);
      const others = Array.from({ length: 10 }, () => store.cache({ lockSeconds: 60 }));
      const asked = await Promise.all(others.map((cache) => cache.shouldFetchFlagDefinitions()));
      assert.equal(asked.filter(Boolean).length, 1);
      const leader = others[asked.indexOf(true)];
      await leader.onFlagDefinitionsReceived(MORE);
      await former.onFlagDefinitionsReceived(FLAGS);
      assert.deepEqual(JSON.parse(await store.read()), MORE);
      assert.deepEqual(await Promise.all(others.map((cache) => cache.shouldFetchFlagDefinitions())), asked);
      await leader.shutdown();
      for (let turn = 0; turn < 2; turn++) {
        assert.equal(await former.shouldFetchFlagDefinitions(), true);
        assert.deepEqual(JSON.parse(await store.read()), MORE, "what it sent before is not put back");
      }
      await former.shutdown();
      assert.equal(await others.find((cache) => cache !== leader).shouldFetchFlagDefinitions(), true);
    });
  });

  test(`${name}: what was lost, spoilt or replaced by a late write is stored again at the next poll`, async () => {
    await withCaches(open, 1, { lockSeconds: 60 }, async ([leader], store, errors) => {
      await leader.shouldFetchFlagDefinitions();
      await leader.onFlagDefinitionsReceived(MORE);
      for (const spoil of [() => store.clear(), () => store.write('{"fl'), () => store.write(JSON.stringify(FLAGS))]) {
        await spoil();
        assert.equal(await leader.shouldFetchFlagDefinitions(), true);
        assert.deepEqual(JSON.parse(await store.read()), MORE);
      }
      assert.deepEqual(errors.map(({ code }) => code), ["source_failed"]);
    });
  });

  test(`${name}: an empty list does not replace flags unless that is allowed`, async () => {
    const empty = { ...FLAGS, flags: [] };
    await withCaches(open, 1, { lockSeconds: 60 }, async ([cache], store, errors) => {
      await cache.shouldFetchFlagDefinitions();
      await cache.onFlagDefinitionsReceived(empty);
      assert.deepEqual(JSON.parse(await store.read()), empty, "there was nothing to lose");
      await cache.onFlagDefinitionsReceived(FLAGS);
      await cache.onFlagDefinitionsReceived(empty);
      assert.deepEqual(JSON.parse(await store.read()), FLAGS);
      assert.deepEqual(errors.map(({ code }) => code), ["empty_refused"]);
      assert.equal(await cache.shouldFetchFlagDefinitions(), true);
      assert.deepEqual(JSON.parse(await store.read()), FLAGS);
      await cache.shutdown();
      const allowed = store.cache({ allowEmpty: true });
      await allowed.shouldFetchFlagDefinitions();
      await allowed.onFlagDefinitionsReceived(empty);
      await allowed.shutdown();
      assert.deepEqual(JSON.parse(await store.read()), empty);
    });
  });
}

test("of many that find an expired lock in a folder one takes it, whatever was left behind", async () => {
  for (let round = 0; round < 20; round++) {
    await withCaches(STORES.folder, 20, { lockSeconds: 60 }, async (caches, { folder, write }) => {
      await write(JSON.stringify(FLAGS));
      const lock = join(folder, `posthog-flags-${PROJECT_KEY}.json.lock`);
      writeFileSync(`${lock}.41`, `somebody\n${Date.now() + 60_000}\n60000\n`);
      writeFileSync(`${lock}.42`, "somebody else\n1\n60000\n");
      assert.equal((await Promise.all(caches.map((cache) => cache.shouldFetchFlagDefinitions()))).filter(Boolean).length, 1);
      for (let turn = 0; turn < 3; turn++) await Promise.all(caches.map((cache) => cache.shouldFetchFlagDefinitions()));
      const left = readdirSync(folder).filter((file) => file.includes(".lock."));
      assert.ok(left.length <= 3, left.join());
    });
  }
});

test("a folder's lock that was taken by a clock that was ahead is not waited for", async () => {
  await withCaches(STORES.folder, 20, { lockSeconds: 60 }, async (caches, { folder, write }) => {
    await write(JSON.stringify(FLAGS));
    writeFileSync(join(folder, `posthog-flags-${PROJECT_KEY}.json.lock.7`), `somebody\n${Date.now() + 86_400_000}\n60000\n`);
    assert.equal((await Promise.all(caches.map((cache) => cache.shouldFetchFlagDefinitions()))).filter(Boolean).length, 1);
  });
});

test("who lists a folder's locks, and comes to take the next one when others are long past it, does not get it", async (t) => {
  await withCaches(STORES.folder, 1, {}, async ([cache], { folder, write }) => {
    await write(JSON.stringify(FLAGS));
    const lock = (generation) => join(folder, `posthog-flags-${PROJECT_KEY}.json.lock.${generation}`);
    writeFileSync(lock(1), "somebody\n1\n60000\n");
    const { open } = files;
    t.mock.method(files, "open", (path, flags) => {
      if (path === lock(2)) {
        rmSync(lock(1));
        writeFileSync(lock(7), `somebody else\n${Date.now() + 60_000}\n60000\n`);
      }
      return open(path, flags);
    });
    syncBuiltinESMExports();
    try {
      assert.equal(await cache.shouldFetchFlagDefinitions(), false);
    } finally {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    }
    assert.deepEqual([existsSync(lock(2)), existsSync(lock(7))], [false, true]);
  });
});
