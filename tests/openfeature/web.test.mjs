/** The browser's provider, driven through OpenFeature's own SDK for browsers. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { OpenFeature, ProviderEvents, ProviderStatus } from "@openfeature/web-sdk";
import { createFlags, load } from "flagpost";
import { FlagpostProvider } from "flagpost/openfeature-web";
import { openReference } from "../support/reference.mjs";
import { FIXTURE_USERS, crowd } from "../support/users.mjs";
import { contextOf, definitions, expected, FIXTURE, flag, listen, LONG_AGO, Store, storeWithClient, when } from "./support.mjs";

const USER = { targetingKey: "user-1", plan: "free" };
const PRO = { targetingKey: "user-2", plan: "pro" };
const byPlan = definitions(flag("pro", { groups: [when("plan", ["pro"])] }), flag("plain"));
let reference;
before(() => {
  reference = openReference({ definitions: JSON.stringify(FIXTURE) });
});
after(() => reference.close());
afterEach(async () => {
  await OpenFeature.clearContexts();
  // Last: a change of context calls the SDK's own provider ready.
  await OpenFeature.clearProviders();
});

/** A client of the SDK over a provider over a store. */
async function start(stored, context = USER, clientOptions) {
  const { store, flags } = storeWithClient(stored, clientOptions);
  const provider = new FlagpostProvider(flags, { refreshInterval: 0 });
  const client = OpenFeature.getClient();
  await OpenFeature.setProviderAndWait(provider, context);
  return { store, flags, provider, client };
}

/** A provider for `USER` that asks a client whose answers wait, each until it is let go. */
async function startSlow() {
  const { flags } = storeWithClient(byPlan);
  const waiting = [];
  const slow = { forUser: (user) => new Promise((go) => waiting.push(go)).then(() => flags.forUser(user)) };
  const provider = new FlagpostProvider(slow, { refreshInterval: 0 });
  const first = provider.initialize(USER);
  waiting.shift()();
  await first;
  return { provider, waiting };
}

test("every flag answers every type as posthog-node answers it, synchronously, for each context", async () => {
  const { client } = await start(FIXTURE);
  let values = 0;
  for (const user of [...FIXTURE_USERS, ...crowd(6)]) {
    await OpenFeature.setContext(contextOf(user));
    for (const { key } of FIXTURE.flags) {
      for (const [method, fallback, value, code] of expected(await reference.evaluateFlag(key, user))) {
        const details = client[`get${method}Details`](key, fallback);
        assert.deepEqual([details.value, details.errorCode], [value, code], `${method} ${key} of ${user.distinctId}`);
        if (code === undefined && value !== fallback) values++;
      }
    }
  }
  assert.ok(values > 500, `${values} values`);
});

test("a change of context reconciles, gives the former user's answers as stale, then the new one's", async () => {
  const { store, client } = await start(byPlan);
  const events = listen(client, [ProviderEvents.Reconciling, ProviderEvents.ContextChanged, ProviderEvents.Error]);
  assert.deepEqual(answer(client, "pro"), [false, "DEFAULT"]);
  const release = store.hold();
  const changed = OpenFeature.setContext(PRO);
  assert.equal(client.providerStatus, ProviderStatus.RECONCILING);
  assert.deepEqual(answer(client, "pro"), [false, "STALE"]);
  assert.equal(client.getBooleanDetails("missing", true).errorCode, "FLAG_NOT_FOUND");
  release();
  await changed;
  assert.equal(client.providerStatus, ProviderStatus.READY);
  assert.deepEqual(answer(client, "pro"), [true, "TARGETING_MATCH"]);
  assert.deepEqual(events.seen, [ProviderEvents.Reconciling, ProviderEvents.ContextChanged]);
});

test("of contexts that overtake each other the last one set is answered", async () => {
  const { provider, waiting } = await startSlow();
  const older = provider.onContextChange(USER, { targetingKey: "user-3" });
  const newer = provider.onContextChange(USER, PRO);
  const [goOlder, goNewer] = waiting;
  goNewer();
  await newer;
  assert.equal(provider.resolveBooleanEvaluation("pro", false).value, true);
  goOlder();
  await older;
  assert.equal(provider.resolveBooleanEvaluation("pro", false).value, true);
});

test("a refresh changes nothing of a context that is set before it or while it goes on", async () => {
  const { provider, waiting } = await startSlow();
  const before = provider.refresh();
  const change = provider.onContextChange(USER, PRO);
  const during = provider.refresh();
  assert.equal(waiting.length, 2, "while a context is reconciled, nobody else is asked for");
  const [goBefore, goChange] = waiting;
  goChange();
  await change;
  goBefore();
  await Promise.all([before, during]);
  assert.equal(provider.resolveBooleanEvaluation("pro", false).value, true);
});

test("a slow refresh does not put older answers back", async () => {
  const versions = [definitions(flag("on", { active: false })), definitions(flag("on"))].map((found) => load(JSON.stringify(found)));
  let asked = versions[0];
  const waiting = [];
  const slow = { current: () => new Promise((go) => waiting.push(go.bind(null, asked))) };
  const provider = new FlagpostProvider(createFlags({ reader: slow }), { refreshInterval: 0 });
  const first = provider.initialize(USER);
  waiting.shift()();
  await first;
  const older = provider.refresh();
  asked = versions[1];
  const newer = provider.refresh();
  const [goOlder, goNewer] = waiting;
  goNewer();
  await newer;
  goOlder();
  await older;
  assert.equal(provider.resolveBooleanEvaluation("on", false).value, true);
});

test("a page without a user is ready, says so to each evaluation, and answers after the login", async () => {
  const { client } = await start(byPlan, {});
  assert.equal(client.providerStatus, ProviderStatus.READY);
  const { value, errorCode } = client.getBooleanDetails("plain", false);
  assert.deepEqual([value, errorCode], [false, "TARGETING_KEY_MISSING"]);
  await OpenFeature.setContext(PRO);
  assert.equal(client.getBooleanValue("pro", false), true);
  await OpenFeature.setContext({});
  assert.equal(client.getBooleanDetails("pro", false).errorCode, "TARGETING_KEY_MISSING");
});

test("a default distinct id answers a page without a user", async () => {
  const { flags } = storeWithClient(definitions(flag("who", { groups: [when("distinct_id", ["anonymous"])] })));
  await OpenFeature.setProviderAndWait(new FlagpostProvider(flags, { defaultDistinctId: "anonymous", refreshInterval: 0 }));
  assert.equal(OpenFeature.getClient().getBooleanValue("who", false), true);
});

test("a snapshot that came with the page is answered without a request", async () => {
  const store = new Store();
  const version = store.put(byPlan);
  const { bytes } = await store.read();
  await OpenFeature.setProviderAndWait(new FlagpostProvider(createFlags({ reader: bytes }), { refreshInterval: 0 }), PRO);
  const { value, flagMetadata } = OpenFeature.getClient().getBooleanDetails("pro", false);
  assert.deepEqual([value, flagMetadata.version], [true, version]);
});

test("evaluations before the snapshot was read are not ready", async () => {
  const { store, flags } = storeWithClient(byPlan);
  const release = store.hold();
  const client = OpenFeature.getClient();
  const provider = new FlagpostProvider(flags, { refreshInterval: 0 });
  assert.equal(provider.resolveStringEvaluation("plain", "d").errorCode, "PROVIDER_NOT_READY");
  const set = OpenFeature.setProviderAndWait(provider, USER);
  assert.equal(client.getBooleanDetails("plain", false).errorCode, "PROVIDER_NOT_READY");
  release();
  await set;
  assert.equal(client.getBooleanValue("plain", false), true);
});

for (const strict of [false, true]) {
  for (const context of [USER, {}]) {
    test(`setting the provider fails without a snapshot (strict: ${strict}, user: ${context.targetingKey})`, async () => {
      await assert.rejects(start(undefined, context, { strict }), { code: "PROVIDER_NOT_READY", message: /no snapshot/ });
      const client = OpenFeature.getClient();
      assert.equal(client.providerStatus, ProviderStatus.ERROR);
      assert.equal(client.getBooleanDetails("plain", false).errorCode, "PROVIDER_NOT_READY");
    });
  }
}

test("a snapshot that comes later is found by a refresh", async () => {
  const { store, flags } = storeWithClient(undefined);
  const provider = new FlagpostProvider(flags, { refreshInterval: 0 });
  const client = OpenFeature.getClient();
  const events = listen(client, [ProviderEvents.Ready, ProviderEvents.Error]);
  await assert.rejects(OpenFeature.setProviderAndWait(provider, USER));
  await provider.refresh();
  assert.deepEqual(events.seen, [ProviderEvents.Error]);
  store.put(byPlan);
  await provider.refresh();
  assert.deepEqual(events.seen, [ProviderEvents.Error, ProviderEvents.Ready]);
  assert.equal(client.providerStatus, ProviderStatus.READY);
  assert.equal(client.getBooleanValue("plain", false), true);
});

test("a refresh tells of new definitions and of a stale snapshot, and answers from them", async () => {
  const { store, provider, client } = await start(byPlan);
  const events = listen(client, Object.values(ProviderEvents));
  await provider.refresh();
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.Ready]);

  const changed = events.next(ProviderEvents.ConfigurationChanged);
  const version = store.put(definitions(flag("plain", { active: false })));
  await provider.refresh();
  assert.ok((await changed).message.includes(version));
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.ConfigurationChanged]);
  assert.equal(client.getBooleanDetails("plain", true).value, false);
  assert.equal(client.getBooleanDetails("plain", true).flagMetadata.version, version);

  store.put(byPlan, LONG_AGO);
  await provider.refresh();
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.ConfigurationChanged, ProviderEvents.Stale]);
  assert.equal(client.providerStatus, ProviderStatus.STALE);
  assert.deepEqual(answer(client, "plain"), [true, "STALE"]);

  store.put(byPlan);
  await provider.refresh();
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.ConfigurationChanged, ProviderEvents.Ready]);
});

test("a snapshot that is stale from the start is told after the SDK said ready, and after each context", async () => {
  const { store, flags } = storeWithClient(undefined);
  store.put(byPlan, LONG_AGO);
  const client = OpenFeature.getClient();
  const events = listen(client, [ProviderEvents.Ready, ProviderEvents.Stale, ProviderEvents.ContextChanged]);
  const stale = events.next(ProviderEvents.Stale);
  await OpenFeature.setProviderAndWait(new FlagpostProvider(flags, { refreshInterval: 0 }), USER);
  await stale;
  assert.deepEqual(events.seen, [ProviderEvents.Ready, ProviderEvents.Stale]);
  assert.equal(client.providerStatus, ProviderStatus.STALE);
  const again = events.next(ProviderEvents.Stale);
  await OpenFeature.setContext(PRO);
  await again;
  assert.equal(client.providerStatus, ProviderStatus.STALE);
});

test("a context of the wrong shape is an error until the next one, and nobody's answers are given", async () => {
  const { client } = await start(byPlan, PRO);
  OpenFeature.setLogger({ error() {}, warn() {}, info() {}, debug() {} });
  await OpenFeature.setContext({ ...PRO, groups: "acme" });
  assert.equal(client.providerStatus, ProviderStatus.ERROR);
  const { value, errorCode } = client.getBooleanDetails("pro", false);
  assert.deepEqual([value, errorCode], [false, "INVALID_CONTEXT"]);
  await OpenFeature.setContext(PRO);
  assert.equal(client.providerStatus, ProviderStatus.READY);
  assert.equal(client.getBooleanValue("pro", false), true);
});

test("the snapshot is looked at after the interval, until the provider is closed", async (t) => {
  const { store, flags } = storeWithClient(byPlan);
  const asked = [];
  const counting = { forUser: (user) => (asked.push(user.distinctId), flags.forUser(user)) };
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const provider = new FlagpostProvider(counting, { refreshInterval: 30 });
  await provider.initialize(USER);
  const changed = new Promise((resolve) => provider.events.addHandler(ProviderEvents.ConfigurationChanged, resolve));
  store.put(definitions(flag("another")));
  t.mock.timers.tick(29_999);
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1);
  await changed;
  assert.equal(asked.length, 2);
  await new Promise(setImmediate);
  t.mock.timers.tick(30_000);
  assert.equal(asked.length, 3);
  await new Promise(setImmediate);
  await provider.onClose();
  t.mock.timers.tick(300_000);
  assert.equal(asked.length, 3);
  assert.equal(provider.resolveBooleanEvaluation("another", false).errorCode, "PROVIDER_NOT_READY");
});

test("an interval of nothing, or of more than a timer can count, sets no timer", async (t) => {
  const timers = t.mock.method(globalThis, "setTimeout");
  for (const refreshInterval of [0, Infinity]) {
    await new FlagpostProvider(createFlags({ reader: { current: async () => load(byPlan) } }), { refreshInterval }).initialize(USER);
  }
  assert.equal(timers.mock.callCount(), 0);
});

test("an interval that is no time is refused", () => {
  const { flags } = storeWithClient(byPlan);
  for (const refreshInterval of [-1, NaN]) {
    assert.throws(() => new FlagpostProvider(flags, { refreshInterval }), { code: "invalid_options", message: /refreshInterval is a number of seconds/ });
  }
});

function answer(client, key) {
  const { value, reason } = client.getBooleanDetails(key, false);
  return [value, reason];
}
