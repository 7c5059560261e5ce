/** A posthog-node with credentials that shares its definitions, while PostHog or the store fails. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sharedFlagDefinitionCache } from "flagpost/posthog-node";
import { PostHog } from "posthog-node";
import { startPostHog } from "../support/posthog.mjs";
import { onFlag, textOf } from "./snapshots.mjs";
import { memoryStore } from "./stores.mjs";

let posthog;
before(async () => {
  posthog = await startPostHog();
});
after(() => posthog?.close());

/** Opens clients on one store; each polls when it is told to. */
async function withClients(count, work) {
  posthog.setDefinitions(textOf(onFlag("first")));
  posthog.setFault(null);
  posthog.requests.length = 0;
  const store = memoryStore();
  const errors = [];
  const clients = [];
  const open = () => {
    const client = new PostHog(posthog.projectKey, {
      host: posthog.url,
      personalApiKey: posthog.personalKey,
      featureFlagsPollingInterval: null,
      flagDefinitionCacheProvider: sharedFlagDefinitionCache(store, { projectKey: posthog.projectKey, onError: (error) => errors.push(error) }),
    });
    const it = {
      poll: () => client.reloadFeatureFlags(),
      keys: async () => Object.keys(await client.getAllFlags("user", { onlyEvaluateLocally: true })).sort(),
      close: () => client.shutdown(2000),
    };
    clients.push(it);
    return it;
  };
  try {
    const opened = [];
    for (let index = 0; index < count; index++) {
      opened.push(open());
      await opened[index].keys();
    }
    await work(opened, { store, errors, codes: () => errors.map(({ code }) => code), stored: () => storedKeys(store) });
  } finally {
    store.fault.clear();
    await Promise.all(clients.map((client) => client.close()));
  }
}

function storedKeys(store) {
  const text = store.texts.get(`posthog:flags:${posthog.projectKey}`);
  return text && JSON.parse(text).flags.map(({ key }) => key);
}

const statuses = () => posthog.requests.map(({ status }) => status);

test("a write that failed is made good at the next poll, although PostHog says that nothing has changed", async () => {
  await withClients(1, async ([client], { store, codes, stored }) => {
    store.fault.add("set");
    posthog.setDefinitions(textOf(onFlag("second")));
    await client.poll();
    assert.deepEqual([stored(), await client.keys(), codes()], [["first"], ["second"], ["store_failed"]]);
    store.fault.clear();
    await client.poll();
    assert.deepEqual([stored(), statuses()], [["second"], [200, 200, 304]]);
  });
});

test("while the store is away every client fetches for itself, and afterwards one for all again", async () => {
  await withClients(2, async ([leader, other], { store, errors, codes }) => {
    for (const method of ["get", "set", "lock"]) store.fault.add(method);
    posthog.setDefinitions(textOf(onFlag("second")));
    await Promise.all([leader.poll(), other.poll()]);
    assert.deepEqual([await leader.keys(), await other.keys()], [["second"], ["second"]]);
    assert.ok(codes().every((code) => code === "store_failed") && /the definitions in memory cannot be locked: Error: no lock/.test(errors[0].message), errors.map(String).join());
    store.fault.clear();
    posthog.setDefinitions(textOf(onFlag("third")));
    const before = posthog.requests.length;
    await leader.poll();
    await other.poll();
    assert.deepEqual([await leader.keys(), await other.keys(), posthog.requests.length - before], [["third"], ["third"], 1]);
  });
});

test("a store that lost its content leaves its readers the definitions that they read before", async () => {
  await withClients(2, async ([, other], { store, codes }) => {
    store.texts.clear();
    await other.poll();
    assert.deepEqual([await other.keys(), codes()], [["first"], []]);
  });
});

test("no failure of PostHog's, and no empty list, takes flags from the store or from those that read it", async () => {
  await withClients(2, async ([leader, other], { stored, codes }) => {
    for (const fault of [{ status: 402 }, { status: 401 }, { status: 429 }, { status: 503 }, { body: '{"fl' }, { body: '{"flags":[]}' }, { drop: true }]) {
      posthog.setFault(fault);
      await leader.poll();
      await other.poll();
      assert.deepEqual([stored(), await other.keys()], [["first"], ["first"]], JSON.stringify(fault));
    }
    assert.deepEqual(codes(), ["empty_refused"]);
    posthog.setFault(null);
    posthog.setDefinitions(textOf(onFlag("second")));
    await leader.poll();
    await other.poll();
    assert.deepEqual([stored(), await leader.keys(), await other.keys()], [["second"], ["second"], ["second"]]);
  });
});

test("a client that is shut down hands over to the next at once", async () => {
  await withClients(2, async ([leader, other], { stored }) => {
    posthog.setDefinitions(textOf(onFlag("second")));
    await leader.close();
    await other.poll();
    assert.deepEqual([stored(), await other.keys()], [["second"], ["second"]]);
  });
});

test("a lock that is given after the shutdown is given back", async () => {
  const store = memoryStore();
  store.texts.set("posthog:flags:phc_x", textOf(onFlag("stored")));
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  const slow = { ...store, lock: (...args) => gate.then(() => store.lock(...args)) };
  const cache = sharedFlagDefinitionCache(slow, { projectKey: "phc_x" });
  const asked = cache.shouldFetchFlagDefinitions();
  await cache.shutdown();
  go();
  assert.equal(await asked, false);
  assert.equal(await sharedFlagDefinitionCache(store, { projectKey: "phc_x" }).shouldFetchFlagDefinitions(), true);
});

test("a store that does not answer counts as failed", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const errors = [];
  const store = { ...memoryStore(), lock: () => new Promise(() => {}) };
  const cache = sharedFlagDefinitionCache(store, { projectKey: "phc_x", onError: ({ message }) => errors.push(message) });
  const asked = cache.shouldFetchFlagDefinitions();
  t.mock.timers.tick(5000);
  assert.equal(await asked, true);
  assert.deepEqual(errors, ["the definitions in memory cannot be locked: Error: no answer within 5 seconds"]);
});

test("settings that cannot work are refused at once", () => {
  for (const options of [{}, { projectKey: "" }, { projectKey: "phc_x", lockSeconds: 0 }, { projectKey: "phc_x", patienceSeconds: -1 }]) {
    assert.throws(() => sharedFlagDefinitionCache(memoryStore(), options), { code: "invalid_options" });
  }
});
