/** Exposure events beside those of the real posthog-node, both sent to a local server. */
import assert from "node:assert/strict";
import { after, beforeEach, mock, test } from "node:test";
import { createExposures, createFlags, flagCalledEvent, load } from "flagpost";
import { compiledSnapshot, sectionEnd } from "./compiler.mjs";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";
import { reference, standIn } from "./posthog.mjs";

const posthog = await standIn();
after(() => posthog.close());
beforeEach(() => {
  posthog.requests.length = 0;
  posthog.answer.current = () => ({ status: 200, body: {} });
});

const header = { format: 1, digest: `sha256:${"0".repeat(64)}`, fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T11:00:00Z" };
const variants = { multivariate: { variants: [{ key: "blue", rollout_percentage: 100 }] } };
const flagsOf = (experiment) => [
  { ...flag("on"), id: 11, ...experiment },
  { ...flag("off"), id: 12, active: false, ...experiment },
  { ...flag("coloured", [], { ...variants, payloads: { blue: "1" } }), id: 13, ...experiment },
  { ...flag("pros", [filter("plan", "exact", "pro")]), id: 14, ...experiment },
  { ...flag("unnumbered"), ...experiment },
];
const keys = ["on", "off", "coloured", "pros", "unnumbered", "missing"];
const user = { distinctId: "user-1", personProperties: { plan: "pro" } };

/** A client that sends to the stand-in. `definitions` is loaded after the exposures are made. */
function client(makeDefinitions, options = {}) {
  const exposures = createExposures({ projectKey: "phc_project", host: posthog.host, retries: 0, ...options });
  return { exposures, flags: createFlags({ reader: load(makeDefinitions()), exposures }) };
}

/**
 * An event without what two senders cannot share: the uuid is random; times differ by the moment; the library is
 * another; posthog-node's cache provider does not say when definitions were fetched, which a snapshot does.
 */
function comparable({ uuid, timestamp, properties, ...event }) {
  const { $lib, $lib_version, $feature_flag_evaluated_at, $feature_flag_definitions_loaded_at, ...rest } = properties;
  assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Date(timestamp).toISOString(), timestamp);
  assert.ok($lib && $lib_version);
  return { ...event, properties: { ...rest, evaluatedAt: typeof $feature_flag_evaluated_at } };
}

async function bothSend(sample, users, options = {}) {
  const real = reference(sample, { host: posthog.host, ...options });
  for (const one of users) {
    const snapshot = await real.evaluateFlags(one.distinctId, one);
    for (const key of keys) {
      snapshot.isEnabled(key);
      snapshot.getFlag(key);
      snapshot.getFlagPayload(key);
    }
  }
  await real.shutdown();
  const expected = posthog.events();
  const { exposures, flags } = client(() => compiledSnapshot(header, sample), options);
  for (const one of users) {
    const answers = await flags.forUser(one);
    for (const key of keys) {
      answers.isEnabled(key);
      answers.getFeatureFlag(key);
      answers.getFeatureFlagResult(key);
      answers.getFeatureFlagPayload(key);
    }
    answers.getAllFlags();
  }
  await exposures.flush();
  return { expected, actual: posthog.events() };
}

const gates = {
  "full events": [{}, {}],
  "full events where experiments are told but not asked for": [{}, { has_experiment: false }],
  "minimal events": [{ minimal_flag_called_events: true }, { has_experiment: false }],
  "full events of experiments": [{ minimal_flag_called_events: true }, { has_experiment: true }],
  "full events where nothing is known of experiments": [{ minimal_flag_called_events: true }, {}],
};
for (const [what, [gate, experiment]] of Object.entries(gates)) {
  test(`${what} are those of posthog-node`, async (t) => {
    t.mock.method(console, "warn", () => {});
    const sample = { ...definitions(...flagsOf(experiment)), ...gate };
    const users = [user, { distinctId: "user-2" }, { ...user, distinctId: "user-3", groups: { company: "acme", app: "web" } }];
    const { expected, actual } = await bothSend(sample, users);
    assert.equal(expected.length, users.length * keys.length);
    assert.deepEqual(actual.map(comparable), expected.map(comparable));
  });
}

test("without looking up where the server is not disabled, events are still those of posthog-node", async () => {
  const { expected, actual } = await bothSend(definitions(...flagsOf({})), [user], { disableGeoip: false });
  assert.deepEqual(actual.map(comparable), expected.map(comparable));
  assert.equal("$geoip_disable" in actual[0].properties, false);
});

test("events name the library, when the flag was read and when PostHog sent the definitions; the batch is posthog-node's", async () => {
  const { exposures, flags } = client(() => compiledSnapshot(header, definitions(...flagsOf({}))));
  const before = Date.now();
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  const [{ path, method, body }] = posthog.requests;
  assert.deepEqual([path, method, body.api_key, Object.keys(body)], ["/batch/", "POST", "phc_project", ["api_key", "batch", "sent_at"]]);
  const [{ properties, timestamp, uuid }] = body.batch;
  assert.equal(properties.$lib, "flagpost");
  assert.equal(properties.$feature_flag_definitions_loaded_at, Date.parse(header.fetched_at));
  assert.ok(properties.$feature_flag_evaluated_at >= before && properties.$feature_flag_evaluated_at <= Date.now());
  assert.equal(Date.parse(timestamp), properties.$feature_flag_evaluated_at);
  assert.equal(parseInt(uuid.replaceAll("-", "").slice(0, 12), 16), properties.$feature_flag_evaluated_at);
});

test("over a random sequence the same readings are sent as posthog-node sends, with a small memory", async () => {
  let state = 7;
  const random = (count) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % count;
  };
  const sample = definitions(...flagsOf({}));
  const sequence = Array.from({ length: 600 }, () => {
    const groups = [undefined, {}, { company: "acme" }, { company: "acme", app: "web" }, { app: "web", company: "acme" }][random(5)];
    return { key: keys[random(keys.length)], user: { distinctId: `user-${random(6)}`, groups, personProperties: { plan: ["pro", "free"][random(2)] } } };
  });
  const real = reference(sample, { host: posthog.host, maxCacheSize: 3 });
  for (const { key, user: one } of sequence) (await real.evaluateFlags(one.distinctId, one)).isEnabled(key);
  await real.shutdown();
  const expected = posthog.events();
  const { exposures, flags } = client(() => bytesOf(sample), { maxCacheSize: 3 });
  for (const { key, user: one } of sequence) (await flags.forUser(one)).isEnabled(key);
  await exposures.flush();
  const actual = posthog.events();
  assert.ok(expected.length > 100 && expected.length < sequence.length, `${expected.length} events`);
  assert.deepEqual(actual.map(comparable), expected.map(comparable));
});

test("minimal events can be asked for, and refused, whatever the definitions say; never of experiments", async () => {
  const isMinimal = async (gate, has_experiment, minimal) => {
    const sample = { ...definitions({ ...flag("on"), has_experiment }), minimal_flag_called_events: gate };
    const { exposures, flags } = client(() => bytesOf(sample), { minimal });
    (await flags.forUser(user)).isEnabled("on");
    await exposures.flush();
    return !("$feature/on" in posthog.events()[0].properties);
  };
  assert.equal(await isMinimal(true, false, false), false);
  assert.equal(await isMinimal(false, false, true), true);
  assert.equal(await isMinimal(false, true, true), false);
});

test("overrides, an empty distinct id, and readings that are not to be sent are no exposures", async () => {
  const exposures = createExposures({ projectKey: "phc_project", host: posthog.host });
  const flags = createFlags({ reader: load(definitions(...flagsOf({}))), exposures, overrides: { on: false } });
  (await flags.forUser(user)).isEnabled("on");
  (await flags.forUser({ distinctId: "" })).isEnabled("off");
  (await flags.forUser(user, { sendFeatureFlagEvents: false })).isEnabled("off");
  await exposures.flush();
  assert.equal(posthog.requests.length, 0);
});

test("without a snapshot the event says that nothing could be decided", async () => {
  const exposures = createExposures({ projectKey: "phc_project", host: posthog.host });
  const flags = createFlags({ reader: { current: () => Promise.reject("none") }, exposures, onError() {} });
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  const { properties } = posthog.events()[0];
  assert.equal(properties.$feature_flag_error, "local_evaluation_inconclusive");
  assert.equal(properties.locally_evaluated, false);
});

test("damaged definitions, and those that were freed, cost the event its id and no answer", async () => {
  const sample = { ...definitions(...flagsOf({ has_experiment: false })), minimal_flag_called_events: true };
  const damaged = () => {
    const bytes = compiledSnapshot(header, sample);
    bytes.set(new TextEncoder().encode("}}}"), Buffer.from(bytes).indexOf('{"flags":'));
    return bytes;
  };
  const { exposures, flags } = client(damaged);
  assert.equal((await flags.forUser(user)).isEnabled("on"), true);
  const freed = load(compiledSnapshot({ ...header, index: 1 }, sample));
  const others = createFlags({ reader: freed, exposures });
  assert.equal((await others.forUser({ distinctId: "user-2" })).isEnabled("on"), true);
  freed.free();
  await exposures.flush();
  const events = posthog.events();
  assert.equal(events.length, 2);
  for (const { properties } of events) {
    assert.equal(properties.$feature_flag_response, true);
    assert.equal("$feature_flag_id" in properties, false);
  }
});

test("a snapshot of which no more was read than evaluation needs answers, and costs the event its id", async () => {
  const { exposures, flags } = client(() => {
    const bytes = compiledSnapshot(header, definitions(...flagsOf({}), flag("of-this-test")));
    return bytes.slice(0, sectionEnd(bytes, "CODE"));
  });
  assert.equal((await flags.forUser(user)).isEnabled("of-this-test"), true);
  await exposures.flush();
  const [{ properties }] = posthog.events();
  assert.equal(properties.$feature_flag_response, true);
  assert.equal("$feature_flag_id" in properties, false);
});

test("only the newest definitions are held on to: events of others that wait are made", async () => {
  const exposures = createExposures({ projectKey: "phc_project", host: posthog.host });
  const [old, next] = [1, 2].map((index) => load(compiledSnapshot({ ...header, index: `newest ${index}` }, definitions(...flagsOf({})))));
  (await createFlags({ reader: old, exposures }).forUser(user)).isEnabled("on");
  (await createFlags({ reader: next, exposures }).forUser(user)).isEnabled("off");
  old.free();
  await exposures.flush();
  assert.deepEqual(posthog.events().map(({ properties }) => properties.$feature_flag_id), [11, 12]);
});

test("where there are no timers, flush tries again at once and rejects never", async () => {
  const errors = [];
  const fetch = () => Promise.reject(new Error("down"));
  const { exposures, flags } = client(() => bytesOf(definitions(flag("on"))), { fetch, retries: 1, onError: (error) => errors.push(error) });
  (await flags.forUser(user)).isEnabled("on");
  const { setTimeout } = globalThis;
  globalThis.setTimeout = () => { throw new Error("not here"); };
  try {
    await exposures.flush();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.match(errors[0].message, /down.*wait for the next time/);
});

test("the caller's buffer may be used again before the events are sent", async () => {
  let bytes;
  const { exposures, flags } = client(() => (bytes = compiledSnapshot(header, definitions(...flagsOf({})))));
  (await flags.forUser(user)).isEnabled("on");
  bytes.fill(0);
  await exposures.flush();
  assert.equal(posthog.events()[0].properties.$feature_flag_id, 11);
});

test("with a context, a request sends once what it recorded, and nobody waits for it", async () => {
  const { flags } = client(() => bytesOf(definitions(...flagsOf({}))));
  const promises = [];
  const ctx = { waitUntil: (promise) => promises.push(promise) };
  const answers = await flags.forUser(user, { ctx });
  answers.isEnabled("on");
  await null;
  answers.isEnabled("off");
  assert.equal(promises.length, 1);
  assert.equal(posthog.requests.length, 0);
  await promises[0];
  assert.equal(posthog.requests.length, 1);
  assert.deepEqual(posthog.events().map(({ properties }) => properties.$feature_flag), ["on", "off"]);
  answers.isEnabled("coloured");
  await promises[1];
  assert.equal(posthog.events().length, 1, "what is read later is sent by itself");
});

test("a context that is over leaves the events to the next one", async () => {
  const { exposures, flags } = client(() => bytesOf(definitions(...flagsOf({}))));
  const over = { waitUntil() { throw new Error("the request is over"); } };
  assert.equal((await flags.forUser(user, { ctx: over })).isEnabled("on"), true);
  await exposures.flush();
  assert.equal(posthog.events().length, 1);
});

test("a passing failure is tried again with the same events", async () => {
  const { exposures, flags } = client(() => bytesOf(definitions(...flagsOf({}))), { retries: 2 });
  const answered = ["hang up", { status: 503 }, { status: 200 }];
  posthog.answer.current = () => answered.shift();
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  assert.equal(posthog.requests.length, 3);
  const uuids = new Set(posthog.events().map(({ uuid }) => uuid));
  assert.equal(uuids.size, 1);
});

test("what cannot be sent now waits for the next flush, is told, and lets requests alone for a while", async () => {
  const errors = [];
  const { exposures, flags } = client(() => bytesOf(definitions(...flagsOf({}))), { onError: (error) => errors.push(error) });
  posthog.answer.current = () => ({ status: 500 });
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  assert.deepEqual(errors.map(({ code }) => code), ["exposures_failed"]);
  assert.match(errors[0].message, /500.*wait for the next time/);
  const promises = [];
  (await flags.forUser(user, { ctx: { waitUntil: (promise) => promises.push(promise) } })).isEnabled("off");
  await promises[0];
  assert.equal(posthog.requests.length, 1, "a request that ends soon after does not try");
  const [{ uuid }] = posthog.events();
  posthog.answer.current = () => ({ status: 200 });
  await exposures.flush();
  const sent = posthog.events();
  assert.deepEqual(sent.map(({ properties }) => properties.$feature_flag), ["on", "off"]);
  assert.equal(sent[0].uuid, uuid);
});

test("what PostHog refuses is lost and told", async () => {
  const errors = [];
  const { exposures, flags } = client(() => bytesOf(definitions(...flagsOf({}))), { onError: (error) => errors.push(error), retries: 2 });
  posthog.answer.current = () => ({ status: 401 });
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  await exposures.flush();
  assert.equal(posthog.requests.length, 1);
  assert.match(errors[0].message, /401.*lost/);
});

test("a server that never answers is given up", async () => {
  const errors = [];
  const { exposures, flags } = client(() => bytesOf(definitions(...flagsOf({}))), { onError: (error) => errors.push(error), timeoutMs: 50 });
  posthog.answer.current = () => undefined;
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  assert.match(errors[0].message, /[Tt]imeout/);
});

test("of too many waiting events the oldest are lost and counted, and batches are bounded", async () => {
  const errors = [];
  const { exposures, flags } = client(() => bytesOf(definitions(flag("on"))), { maxQueueSize: 5, maxBatchSize: 2, onError: (error) => errors.push(error) });
  for (let index = 0; index < 8; index++) (await flags.forUser({ distinctId: `user-${index}` })).isEnabled("on");
  await exposures.flush();
  assert.deepEqual(posthog.requests.map(({ body }) => body.batch.map(({ distinct_id }) => distinct_id)), [["user-3", "user-4"], ["user-5", "user-6"], ["user-7"]]);
  assert.match(errors[0].message, /3 more than maxQueueSize/);
});

test("with flushAt events are sent by themselves where there is no context", async () => {
  const { flags } = client(() => bytesOf(definitions(flag("on"))), { flushAt: 3 });
  const arrived = new Promise((resolve) => {
    posthog.answer.current = () => (resolve(), { status: 200 });
  });
  for (let index = 0; index < 3; index++) (await flags.forUser({ distinctId: `user-${index}` })).isEnabled("on");
  await arrived;
  assert.equal(posthog.events().length, 3);
});

test("beforeSend may change events or leave them out; where it throws the event is lost and told", async () => {
  const errors = [];
  const beforeSend = (event) => {
    if (event.distinct_id === "secret") return null;
    if (event.distinct_id === "broken") throw new Error("no");
    return { ...event, properties: { ...event.properties, extra: 1 } };
  };
  const { exposures, flags } = client(() => bytesOf(definitions(flag("on"))), { beforeSend, onError: (error) => errors.push(error) });
  for (const distinctId of ["secret", "broken", "user"]) (await flags.forUser({ distinctId })).isEnabled("on");
  await exposures.flush();
  const events = posthog.events();
  assert.deepEqual(events.map(({ distinct_id, properties }) => [distinct_id, properties.extra]), [["user", 1]]);
  assert.equal(errors.length, 1);
});

test("an event that is no JSON is lost and told, and holds up no other", async () => {
  const errors = [];
  const { exposures, flags } = client(() => bytesOf(definitions(flag("on"))), { onError: (error) => errors.push(error) });
  (await flags.forUser({ distinctId: 1n })).isEnabled("on");
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  assert.deepEqual(posthog.events().map(({ distinct_id }) => distinct_id), ["user-1"]);
  assert.deepEqual(errors.map(({ code }) => code), ["exposures_failed"]);
});

test("requests are made with the fetch that was given, below the host's path", async () => {
  const urls = [];
  const fetch = async (url, { method, headers }) => {
    urls.push([url, method, headers["content-type"]]);
    return new Response("{}");
  };
  const { exposures, flags } = client(() => bytesOf(definitions(flag("on"))), { fetch, host: "https://proxy.example/ingest/" });
  (await flags.forUser(user)).isEnabled("on");
  await exposures.flush();
  assert.deepEqual(urls, [["https://proxy.example/ingest/batch/", "POST", "application/json"]]);
});

test("one distinct id is remembered with a bounded number of answers", async () => {
  const { exposures, flags } = client(() => bytesOf(definitions(flag("on"))), { maxQueueSize: 5000 });
  const read = async (index) => (await flags.forUser({ distinctId: "everybody", groups: { company: `${index}` } })).isEnabled("on");
  for (let index = 0; index <= 1000; index++) await read(index);
  await read(1000);
  await read(0);
  await exposures.flush();
  assert.equal(posthog.events().length, 1002);
});

test("an event can be built without a client", () => {
  const at = new Date("2024-05-01T10:00:00Z");
  const { uuid, ...event } = flagCalledEvent({ distinctId: "u", key: "on", response: true, locallyEvaluated: true, hasExperiment: false, at }, { minimal: true });
  assert.ok(uuid);
  const { $lib_version, ...properties } = event.properties;
  assert.ok($lib_version);
  assert.deepEqual({ ...event, properties }, {
    event: "$feature_flag_called",
    distinct_id: "u",
    timestamp: "2024-05-01T10:00:00.000Z",
    properties: {
      $feature_flag: "on",
      $feature_flag_response: true,
      locally_evaluated: true,
      $feature_flag_evaluated_at: at.getTime(),
      $feature_flag_has_experiment: false,
      $lib: "flagpost",
      $is_server: true,
      $geoip_disable: true,
    },
  });
});

test("wrong options are refused with the fix", () => {
  assert.throws(() => createExposures({}), { code: "invalid_options", message: /projectKey.*phc_/ });
  assert.throws(() => createExposures({ projectKey: "phc_a", host: "posthog" }), { code: "invalid_options", message: /host/ });
  assert.throws(() => createExposures({ projectKey: "phc_a", maxCacheSize: 0 }), { code: "invalid_options", message: /maxCacheSize/ });
  assert.throws(() => createExposures({ projectKey: "phc_a", flushAt: 0 }), { code: "invalid_options", message: /flushAt/ });
});

test("failures are printed where nobody listens", async () => {
  const { exposures, flags } = client(() => bytesOf(definitions(flag("on"))));
  posthog.answer.current = () => ({ status: 400 });
  (await flags.forUser(user)).isEnabled("on");
  const warn = mock.method(console, "warn", () => {});
  await exposures.flush();
  warn.mock.restore();
  assert.match(warn.mock.calls[0].arguments[0], /flagpost: exposure events were not sent/);
});
