/** The server's provider, driven through OpenFeature's own SDK. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { OpenFeature, ProviderEvents, ProviderStatus } from "@openfeature/server-sdk";
import { createFlags, createReader } from "flagpost/slim";
import { FlagpostProvider } from "flagpost/openfeature";
import { openReference } from "../support/reference.mjs";
import { FIXTURE_USERS, crowd } from "../support/users.mjs";
import { contextOf, definitions, expected, FIXTURE, flag, listen, LONG_AGO, Store, storeWithClient, when } from "./support.mjs";

const USER = { targetingKey: "user-1" };
let reference;
before(() => {
  reference = openReference({ definitions: JSON.stringify(FIXTURE) });
});
after(() => reference.close());
afterEach(() => OpenFeature.clearProviders());

/** A client of the SDK over a provider over a store. */
async function start(stored, options, clientOptions) {
  const { store, flags } = storeWithClient(stored, clientOptions);
  const provider = new FlagpostProvider(flags, options);
  await OpenFeature.setProviderAndWait(provider);
  return { store, provider, client: OpenFeature.getClient() };
}

test("every flag answers every type as posthog-node answers it", async () => {
  const { client } = await start(FIXTURE);
  let values = 0;
  for (const user of [...FIXTURE_USERS, ...crowd(6)]) {
    for (const { key } of FIXTURE.flags) {
      const known = await reference.evaluateFlag(key, user);
      for (const [method, fallback, value, code] of expected(known)) {
        const details = await client[`get${method}Details`](key, fallback, contextOf(user));
        assert.deepEqual([details.value, details.errorCode], [value, code], `${method} ${key} of ${user.distinctId}`);
        assert.equal(details.variant, code === undefined && typeof known.value === "string" ? known.value : undefined);
        if (known !== undefined && "unresolved" in known) assert.equal(details.flagMetadata.unresolved, known.unresolved);
        if (code === undefined && value !== fallback) values++;
      }
    }
  }
  assert.ok(values > 500, `${values} values`);
});

test("a Date in the context means to date filters what posthog-node takes it for", async () => {
  const filter = { key: "since", value: "2024-05-01T12:00:00Z", operator: "is_date_before", type: "person" };
  const exact = { key: "since", value: [String(new Date(0))], operator: "exact", type: "person" };
  const dated = definitions(
    flag("before", { groups: [{ properties: [filter], rollout_percentage: 100 }] }),
    flag("text", { groups: [{ properties: [exact], rollout_percentage: 100 }] }),
  );
  const asked = openReference({ definitions: JSON.stringify(dated) });
  const { client } = await start(dated);
  try {
    for (const since of [new Date("2024-05-01T11:59:59Z"), new Date("2024-05-01T12:00:01Z"), new Date(0)]) {
      for (const key of ["before", "text"]) {
        const [[, fallback, ...answer]] = expected(await asked.evaluateFlag(key, { distinctId: "user-1", personProperties: { since } }));
        const { value, errorCode } = await client.getBooleanDetails(key, fallback, { ...USER, since });
        assert.deepEqual([value, errorCode], answer, `${key} at ${since}`);
      }
    }
  } finally {
    await asked.close();
  }
});

test("values of each type come from the variant first, then from the payload", async () => {
  const { client } = await start(definitions(
    flag("forty", { variants: ["40"], payloads: { 40: 7 } }),
    flag("ten", { variants: ["ten"], payloads: { ten: 10 } }),
    flag("blank", { variants: [" "] }),
    flag("text", { payloads: { true: "hi" } }),
    flag("number", { payloads: { true: 0.5 } }),
    flag("list", { payloads: { true: [1, 2] } }),
    flag("plain"),
    flag("off", { active: false, payloads: { true: 1 } }),
  ));
  const details = async (method, key, fallback) => {
    const { value, variant, reason, errorCode } = await client[`get${method}Details`](key, fallback, USER);
    return { value, variant, reason, errorCode };
  };
  const match = (value, variant) => ({ value, variant, reason: "TARGETING_MATCH", errorCode: undefined });
  const mismatch = (value) => ({ value, variant: undefined, reason: "ERROR", errorCode: "TYPE_MISMATCH" });
  const off = (value) => ({ value, variant: undefined, reason: "DEFAULT", errorCode: undefined });
  assert.deepEqual(await details("Number", "forty", 1), match(40, "40"));
  assert.deepEqual(await details("Number", "ten", 1), match(10, "ten"));
  assert.deepEqual(await details("Number", "blank", 1), mismatch(1));
  assert.deepEqual(await details("String", "ten", "d"), match("ten", "ten"));
  assert.deepEqual(await details("String", "text", "d"), match("hi", undefined));
  assert.deepEqual(await details("Number", "number", 1), match(0.5, undefined));
  assert.deepEqual(await details("Object", "list", {}), match([1, 2], undefined));
  assert.deepEqual(await details("Boolean", "ten", false), match(true, "ten"));
  assert.deepEqual(await details("Object", "text", {}), mismatch({}));
  assert.deepEqual(await details("String", "plain", "d"), mismatch("d"));
  assert.deepEqual(await details("Number", "text", 1), mismatch(1));
  assert.deepEqual(await details("Boolean", "off", true), off(false));
  assert.deepEqual(await details("String", "off", "d"), off("d"));
  assert.deepEqual(await details("Number", "off", 1), off(1));
  assert.deepEqual(await details("Object", "off", { d: 1 }), off({ d: 1 }));
  const { errorMessage } = await client.getObjectDetails("text", {}, USER);
  assert.equal(errorMessage, 'flag "text" is true, with a payload that is of type string: that is no object');
});

test("groups, properties and the device id of the context reach the evaluator", async () => {
  const property = (key, value, more) => ({ properties: [{ key, value: [value], operator: "exact", type: "person", ...more }], rollout_percentage: 100 });
  const { client } = await start(definitions(
    flag("plan", { groups: [property("plan", "pro")] }),
    flag("company", { filters: { groups: [property("tier", "gold", { type: "group", group_type_index: 0 })], aggregation_group_type_index: 0 } }),
    flag("device", { bucketing_identifier: "device_id", groups: [{ properties: [], rollout_percentage: 100 }] }),
  ));
  const get = (key, context) => client.getBooleanDetails(key, false, { ...USER, ...context });
  assert.equal((await get("plan", { plan: "pro" })).value, true);
  assert.equal((await get("plan", { personProperties: { plan: "pro" } })).value, true);
  assert.equal((await get("plan", { plan: "free", personProperties: { plan: "pro" } })).value, true);
  assert.equal((await get("plan", { plan: "free" })).value, false);
  const gold = { groupProperties: { company: { tier: "gold" } } };
  assert.equal((await get("company", { groups: { company: "acme" }, ...gold })).value, true);
  assert.equal((await get("company", { groups: { company: 12 }, ...gold })).value, true);
  const alone = await get("company", { groups: { company: null }, ...gold });
  assert.deepEqual([alone.value, alone.errorCode], [false, undefined]);
  assert.equal((await get("device", { $device_id: "device-1" })).value, true);
  const lacking = await get("device", {});
  assert.deepEqual([lacking.errorCode, lacking.flagMetadata.unresolved], ["INVALID_CONTEXT", "missing_context"]);
});

test("a group type may have any name", async () => {
  const odd = flag("odd", { filters: { groups: [{ rollout_percentage: 100 }], aggregation_group_type_index: 0 } });
  const { client } = await start({ ...definitions(odd), group_type_mapping: { 0: "__proto__" } });
  assert.equal(await client.getBooleanValue("odd", false, { ...USER, groups: JSON.parse('{"__proto__":"acme"}') }), true);
});

test("a context of the wrong shape is the caller's error, and none of the provider's", async () => {
  const { client } = await start(definitions(flag("plain")));
  const code = async (context) => (await client.getBooleanDetails("plain", false, context)).errorCode;
  assert.equal(await code({}), "TARGETING_KEY_MISSING");
  assert.equal(await code({ targetingKey: "" }), "TARGETING_KEY_MISSING");
  assert.equal(await code({ targetingKey: 7 }), "INVALID_CONTEXT");
  assert.equal(await code({ ...USER, groups: "acme" }), "INVALID_CONTEXT");
  assert.equal(await code({ ...USER, groups: ["acme"] }), "INVALID_CONTEXT");
  assert.equal(await code({ ...USER, groups: { company: { id: 1 } } }), "INVALID_CONTEXT");
  assert.equal(await code({ ...USER, groupProperties: { company: "acme" } }), "INVALID_CONTEXT");
  assert.equal(await code({ ...USER, personProperties: new Date() }), "INVALID_CONTEXT");
  assert.equal(client.providerStatus, ProviderStatus.READY);
  assert.equal(await code(USER), undefined);
});

test("a default distinct id stands in for a missing targeting key only", async () => {
  const own = flag("who", { groups: [when("distinct_id", ["anonymous"])] });
  const { client } = await start(definitions(own), { defaultDistinctId: "anonymous" });
  assert.equal(await client.getBooleanValue("who", false, {}), true);
  assert.equal(await client.getBooleanValue("who", true, USER), false);
});

test("what cannot be decided here gives the default, and says why", async () => {
  const { client } = await start(FIXTURE);
  const details = await client.getBooleanDetails("signup-flow-test", true, USER);
  assert.equal(details.value, true);
  assert.equal(details.reason, "ERROR");
  assert.equal(details.errorCode, "GENERAL");
  assert.match(details.errorMessage, /^flag "signup-flow-test" cannot be answered: .* \(experience_continuity\)$/);
  assert.equal(details.flagMetadata.unresolved, "experience_continuity");
  const missing = await client.getStringDetails("no-such-flag", "d", USER);
  assert.deepEqual([missing.value, missing.errorCode, missing.flagMetadata.unresolved], ["d", "FLAG_NOT_FOUND", "flag_not_found"]);
});

test("metadata tell the snapshot's version and age, and who answered", async () => {
  const { store, client } = await start(definitions(flag("plain")), undefined, { overrides: { forced: "blue" } });
  const version = store.put(definitions(flag("plain")), LONG_AGO);
  const { reason, flagMetadata } = await client.getBooleanDetails("plain", false, USER);
  assert.equal(reason, "STALE");
  assert.deepEqual({ ...flagMetadata, ageSeconds: undefined }, { source: "snapshot", stale: true, version, ageSeconds: undefined });
  assert.ok(flagMetadata.ageSeconds > 80_000_000);
  const forced = await client.getStringDetails("forced", "d", USER);
  assert.deepEqual([forced.value, forced.reason, forced.flagMetadata.source], ["blue", "STATIC", "override"]);
});

test("the client is asked for the one flag, with a context of each evaluation's own that keeps work alive", async () => {
  const { flags } = storeWithClient(definitions(flag("plain")));
  const asked = [];
  const kept = [];
  const ctx = { waitUntil: (work) => void kept.push(work) };
  const recording = { forUser: (user, options) => (asked.push({ user, options }), flags.forUser(user, options)) };
  await OpenFeature.setProviderAndWait(new FlagpostProvider(recording, { ctx }));
  await OpenFeature.getClient().getBooleanValue("plain", false, { ...USER, plan: "pro" });
  assert.deepEqual(asked.map(({ options }) => options.flagKeys), [[], ["plain"]]);
  const contexts = asked.map(({ options }) => options.ctx);
  assert.equal(new Set(contexts).size, 2);
  const works = contexts.map(() => Promise.resolve());
  for (const [index, context] of contexts.entries()) context.waitUntil(works[index]);
  assert.ok(works.every((work) => kept.includes(work)));
  assert.deepEqual(asked[1].user, { distinctId: "user-1", groups: {}, groupProperties: {}, personProperties: { plan: "pro" } });
});

test("evaluations before the snapshot was read are not ready", async () => {
  const { store, flags } = storeWithClient(definitions(flag("plain")));
  const release = store.hold();
  const set = OpenFeature.setProviderAndWait(new FlagpostProvider(flags));
  const client = OpenFeature.getClient();
  const early = await client.getBooleanDetails("plain", false, USER);
  assert.deepEqual([early.value, early.errorCode], [false, "PROVIDER_NOT_READY"]);
  release();
  await set;
  assert.equal(await client.getBooleanValue("plain", false, USER), true);
});

test("without preload the provider is ready at once and the first evaluation reads", async () => {
  const { store, flags } = storeWithClient(definitions(flag("plain")));
  const release = store.hold();
  await OpenFeature.setProviderAndWait(new FlagpostProvider(flags, { preload: false }));
  const client = OpenFeature.getClient();
  assert.equal(client.providerStatus, ProviderStatus.READY);
  const answer = client.getBooleanValue("plain", false, USER);
  release();
  assert.equal(await answer, true);
});

for (const strict of [false, true]) {
  test(`setting the provider fails without a snapshot, and an evaluation that finds one mends it (strict: ${strict})`, async () => {
    const { store, flags } = storeWithClient(undefined, { strict });
    const client = OpenFeature.getClient();
    const events = listen(client, [ProviderEvents.Ready, ProviderEvents.Error, ProviderEvents.Stale]);
    await assert.rejects(OpenFeature.setProviderAndWait(new FlagpostProvider(flags)), { code: "PROVIDER_NOT_READY", message: /no snapshot/ });
    assert.equal(client.providerStatus, ProviderStatus.ERROR);
    const { value, errorCode } = await client.getBooleanDetails("plain", true, USER);
    assert.deepEqual([value, errorCode], [true, "PROVIDER_NOT_READY"]);
    store.put(definitions(flag("plain")));
    assert.equal(await client.getBooleanValue("plain", false, USER), true);
    assert.equal(client.providerStatus, ProviderStatus.READY);
    assert.deepEqual(events.seen, [ProviderEvents.Error, ProviderEvents.Ready]);
  });
}

test("a client that throws keeps its errors' meaning", async () => {
  const damaged = new Store();
  damaged.put(definitions(flag("plain")));
  const { bytes } = await damaged.read();
  bytes[80] ^= 1;
  const plain = new Store();
  plain.putBytes(new TextEncoder().encode(JSON.stringify(definitions(flag("plain")))));
  const broken = { describe: "a broken source", read: () => Promise.reject(new Error("no route")) };
  const set = (source) =>
    OpenFeature.setProviderAndWait(new FlagpostProvider(createFlags({ reader: createReader({ source }), strict: true })));
  await assert.rejects(set(broken), { code: "PROVIDER_NOT_READY", message: /a broken source cannot be read/ });
  assert.equal(OpenFeature.getClient().providerStatus, ProviderStatus.ERROR);
  await assert.rejects(set(damaged), { code: "PARSE_ERROR" });
  await assert.rejects(set(plain), { code: "PROVIDER_FATAL" });
  const client = OpenFeature.getClient();
  assert.equal(client.providerStatus, ProviderStatus.FATAL);
  assert.equal((await client.getBooleanDetails("plain", false, USER)).errorCode, "PROVIDER_FATAL");
});

test("definitions that change between setting the provider and the first evaluation are told", async () => {
  const { store, client } = await start(definitions(flag("plain")));
  const events = listen(client, [ProviderEvents.ConfigurationChanged]);
  store.put(definitions(flag("another")));
  await client.getBooleanValue("another", false, USER);
  assert.deepEqual(events.seen, [ProviderEvents.ConfigurationChanged]);
});

test("a provider that was replaced is heard no more, and starts anew when it is set again", async () => {
  const { store, provider, client } = await start(definitions(flag("plain")));
  const events = listen(client, [ProviderEvents.ConfigurationChanged]);
  await OpenFeature.setProviderAndWait(new FlagpostProvider(storeWithClient(definitions(flag("plain"))).flags));
  assert.equal(provider.events.getHandlers(ProviderEvents.Ready).length, 1, "the SDK's own, for its status");
  store.put(definitions(flag("another")));
  await OpenFeature.setProviderAndWait(provider);
  assert.equal(await client.getBooleanValue("another", false, USER), true);
  assert.deepEqual(events.seen, []);
});

test("events tell of new definitions, of a stale snapshot, of none, and of its end, each once", async () => {
  const { store, client } = await start(definitions(flag("plain")));
  const events = listen(client, Object.values(ProviderEvents));
  const ask = () => client.getBooleanValue("plain", false, USER);
  await ask();
  await ask();
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.Ready]);

  const changed = events.next(ProviderEvents.ConfigurationChanged);
  const version = store.put(definitions(flag("plain"), flag("another")));
  await ask();
  assert.ok((await changed).message.includes(version));
  await ask();
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.ConfigurationChanged]);
  assert.equal(client.providerStatus, ProviderStatus.READY);

  store.put(definitions(flag("plain")), LONG_AGO);
  await ask();
  await ask();
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.ConfigurationChanged, ProviderEvents.Stale]);
  assert.equal(client.providerStatus, ProviderStatus.STALE);

  store.put(definitions(flag("plain")));
  await ask();
  assert.deepEqual(events.seen.splice(0), [ProviderEvents.ConfigurationChanged, ProviderEvents.Ready]);
  assert.equal(client.providerStatus, ProviderStatus.READY);
});

test("a snapshot that is too old to be served is an error of each evaluation, and a stale provider", async () => {
  const { store, flags } = storeWithClient(definitions(flag("plain")), undefined, { onStale: "unresolved" });
  await OpenFeature.setProviderAndWait(new FlagpostProvider(flags));
  const client = OpenFeature.getClient();
  store.put(definitions(flag("plain")), LONG_AGO);
  const { value, errorCode, flagMetadata } = await client.getBooleanDetails("plain", false, USER);
  assert.deepEqual([value, errorCode, flagMetadata.unresolved], [false, "GENERAL", "stale_snapshot"]);
  assert.equal(client.providerStatus, ProviderStatus.STALE);
});

test("a handler that fails disturbs no evaluation", async () => {
  const { store, provider, client } = await start(definitions(flag("plain")));
  const logged = [];
  const log = (...parts) => logged.push(parts.join(" "));
  provider.events.setLogger({ error: log, warn: log, info: log, debug: log });
  await client.getBooleanValue("plain", false, USER);
  provider.events.addHandler(ProviderEvents.ConfigurationChanged, () => {
    throw new Error("the application's mistake");
  });
  store.put(definitions(flag("plain")));
  assert.equal(await client.getBooleanValue("plain", false, USER), true);
  assert.match(logged.join(), /an event handler failed: Error: the application's mistake/);
});

test("a provider for servers is refused by no server, and one for browsers is", async () => {
  const { FlagpostProvider: ForBrowsers } = await import("flagpost/openfeature-web");
  const { flags } = storeWithClient(definitions(flag("plain")));
  await assert.rejects(OpenFeature.setProviderAndWait(new ForBrowsers(flags)), /intended for use on the client/);
  await OpenFeature.setProviderAndWait(new FlagpostProvider(flags));
  assert.equal(OpenFeature.getClient().metadata.providerMetadata.name, "flagpost");
});
