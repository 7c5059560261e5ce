/** The remote fallback, beside the real posthog-node asking the same local server. */
import assert from "node:assert/strict";
import { after, beforeEach, mock, test } from "node:test";
import { createExposures, createFlags, createReader, FlagpostError, load, remoteFallback } from "flagpost";
import { compiledSnapshot } from "./compiler.mjs";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";
import { reference, standIn } from "./posthog.mjs";

const posthog = await standIn();
after(() => posthog.close());
beforeEach(() => {
  posthog.requests.length = 0;
  posthog.answer.current = () => ({ body: served });
});

const sample = definitions(
  { ...flag("on"), id: 1 },
  { ...flag("sticky"), id: 2, ensure_experience_continuity: true },
  { ...flag("coloured"), id: 3, ensure_experience_continuity: true },
  { ...flag("needy", [filter("plan", "exact", "pro")]), id: 4 },
);
const served = {
  flags: {
    sticky: { key: "sticky", enabled: true, variant: null, reason: { code: "condition_match", description: "Matched condition set 1" }, metadata: { id: 2, version: 5, payload: '{"a":1}', has_experiment: false } },
    coloured: { key: "coloured", enabled: true, variant: "blue", reason: { code: "condition_match" }, metadata: { id: 3, version: 1, payload: "no json" } },
    needy: { key: "needy", enabled: false, variant: null, reason: { code: "no_condition_match" }, metadata: { id: 4, version: 2 } },
  },
  errorsWhileComputingFlags: false,
  requestId: "11111111-2222-3333-4444-555555555555",
  evaluatedAt: 1714557600000,
};
const user = {
  distinctId: "user-1",
  groups: { company: "acme", app: "web" },
  personProperties: { age: 3, $device_id: "device" },
  groupProperties: { company: { tier: "gold" }, other: { x: 1 } },
};

function client(options = {}, { reader = load(bytesOf(sample)), ...more } = {}) {
  const errors = [];
  const remote = remoteFallback({ projectKey: "phc_project", host: posthog.host, onError: (error) => errors.push(error), ...options });
  return { errors, flags: createFlags({ reader, remote, onError() {}, ...more }) };
}
const asked = () => posthog.requests.splice(0).map(({ body }) => body.flag_keys_to_evaluate);

test("undecided flags are answered by PostHog, the others here", async () => {
  const { flags } = client();
  const answers = await flags.forUser(user);
  assert.deepEqual(asked(), [["sticky", "coloured", "needy"]]);
  const of = (key) => {
    const { value, payload, variant, source, reason } = answers.getFeatureFlagResult(key);
    return [value, payload, variant, source, reason];
  };
  assert.deepEqual(of("on"), [true, undefined, undefined, "snapshot", null]);
  assert.deepEqual(of("sticky"), [true, { a: 1 }, undefined, "remote", null]);
  assert.deepEqual(of("coloured"), ["blue", "no json", "blue", "remote", null]);
  assert.deepEqual(of("needy"), [false, undefined, undefined, "remote", null]);
  assert.deepEqual(answers.getAllFlags(), { on: true, sticky: true, coloured: "blue", needy: false });
  assert.deepEqual(answers.unresolved, {});
  assert.equal(answers.snapshot.version, null);
});

test("values, payloads and the request are those of posthog-node", async (t) => {
  t.mock.method(console, "warn", () => {});
  for (const [one, options] of [
    [user, {}],
    [{ distinctId: "user-2" }, { disableGeoip: false }],
    [{ distinctId: "user-3", groups: {} }, { evaluationContexts: ["web", "ios"] }],
  ]) {
    const real = reference(sample, { host: posthog.host, strictLocalEvaluation: false, sendFeatureFlagEvent: false, ...options });
    const flagKeys = ["sticky", "coloured", "needy"];
    const expected = await real.evaluateFlags(one.distinctId, { ...one, flagKeys });
    await real.shutdown();
    const [theirs] = posthog.requests.splice(0);
    const answers = await client(options).flags.forUser(one);
    const [ours] = posthog.requests.splice(0);
    assert.deepEqual(ours.body, theirs.body);
    assert.deepEqual([ours.path, ours.method, ours.headers["content-type"]], [theirs.path, theirs.method, theirs.headers["content-type"]]);
    for (const key of flagKeys) {
      assert.equal(answers.getFeatureFlag(key), expected.getFlag(key));
      assert.deepEqual(answers.getFeatureFlagPayload(key), expected.getFlagPayload(key));
    }
  }
});

test("exposure events of PostHog's answers are those of posthog-node", async (t) => {
  t.mock.method(console, "warn", () => {});
  const keys = ["on", "sticky", "coloured", "needy", "missing"];
  for (const minimal of [false, true]) {
    const evaluated = { ...served, minimalFlagCalledEvents: minimal };
    posthog.answer.current = ({ path }) => ({ body: path.startsWith("/flags") ? evaluated : {} });
    const gated = { ...sample, minimal_flag_called_events: minimal };
    const real = reference(gated, { host: posthog.host, strictLocalEvaluation: false });
    const snapshot = await real.evaluateFlags(user.distinctId, user);
    for (const key of keys) snapshot.isEnabled(key);
    await real.shutdown();
    const sent = () => posthog.requests.splice(0).flatMap(({ body }) => body.batch ?? []);
    const expected = sent();
    const exposures = createExposures({ projectKey: "phc_project", host: posthog.host });
    const { flags } = client({}, { reader: load(bytesOf(gated)), exposures });
    const answers = await flags.forUser(user);
    for (const key of keys) answers.isEnabled(key);
    await exposures.flush();
    // The library differs, and of what was decided here the moment.
    const comparable = ({ distinct_id, event, properties: { $lib, $lib_version, ...rest } }) => {
      if (rest.locally_evaluated) delete rest.$feature_flag_evaluated_at;
      return { distinct_id, event, properties: rest };
    };
    assert.equal(expected.length, keys.length);
    assert.deepEqual(sent().map(comparable), expected.map(comparable));
  }
});

test("nobody is asked when all is decided here, overridden, or not there", async () => {
  const { flags } = client({}, { overrides: { coloured: "red", sticky: false } });
  await flags.forUser(user, { flagKeys: ["on", "missing", "coloured"] });
  assert.deepEqual(asked(), []);
  await flags.forUser(user, { flagKeys: [] });
  await assert.rejects(flags.forUser(user, { flagKeys: "sticky" }), { code: "invalid_options", message: /flagKeys/ });
  assert.deepEqual(asked(), []);
  await flags.forUser({ ...user, personProperties: { plan: "pro" } });
  assert.deepEqual(asked(), []);
  await flags.forUser(user, { flagKeys: ["on", "needy", "sticky"] });
  assert.deepEqual(asked(), [["needy"]]);
});

test("without a snapshot PostHog is asked for the keys that are named, or for all", async () => {
  const reader = { current: async () => { throw new FlagpostError("no_snapshot", "none"); } };
  const { flags } = client({}, { reader });
  assert.equal((await flags.forUser(user, { flagKeys: ["sticky"] })).isEnabled("sticky"), true);
  assert.deepEqual((await flags.forUser(user)).getAllFlags(), { sticky: true, coloured: "blue", needy: false });
  assert.deepEqual(asked(), [["sticky"], undefined]);
});

test("of a snapshot that is too old PostHog is asked for all that is there", async () => {
  const snapshot = compiledSnapshot({ format: 1, digest: "sha256:0", checked_at: "2024-05-01T11:00:00Z" }, sample);
  const reader = createReader({ source: { describe: "the test", read: async () => ({ bytes: snapshot, version: "1" }) }, maxAge: 60, onStale: "unresolved" });
  const { flags } = client({}, { reader });
  await flags.forUser(user);
  await flags.forUser(user, { flagKeys: ["on", "missing"] });
  assert.deepEqual(asked(), [["on", "sticky", "coloured", "needy"], ["on"]]);
});

test("where the evaluator fails, PostHog is asked for its flags", async () => {
  const freed = load(bytesOf({ ...sample, of: "the freed" }));
  freed.free();
  const { flags } = client({}, { reader: freed });
  assert.equal((await flags.forUser(user, { flagKeys: ["sticky"] })).isEnabled("sticky"), true);
});

test("answers are used again for the same user and properties, for so many seconds", async () => {
  mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
  try {
    const { flags } = client({ cacheSeconds: 30 });
    const ask = async (one) => assert.equal((await flags.forUser(one)).isEnabled("sticky"), true);
    await ask(user);
    await ask({ ...user });
    assert.equal(asked().length, 1);
    await ask({ ...user, distinctId: "user-2" });
    await ask({ ...user, personProperties: { age: 4 } });
    await ask({ ...user, groups: { company: "other" } });
    assert.equal(asked().length, 3);
    mock.timers.tick(29_999);
    await ask(user);
    assert.equal(asked().length, 0);
    mock.timers.tick(1);
    await ask(user);
    assert.equal(asked().length, 1);
  } finally {
    mock.timers.reset();
  }
});

test("no more answers are kept than maxEntries, those used last; none with cacheSeconds 0; none of huge users", async () => {
  const { flags } = client({ maxEntries: 2 });
  const ask = (distinctId, personProperties) => flags.forUser({ distinctId, personProperties });
  for (const id of ["a", "b", "a", "c", "a"]) await ask(id);
  assert.deepEqual(posthog.requests.splice(0).map(({ body }) => body.distinct_id), ["a", "b", "c"]);
  await ask("b");
  assert.equal(asked().length, 1);
  const uncached = client({ cacheSeconds: 0 });
  await uncached.flags.forUser(user);
  await uncached.flags.forUser(user);
  assert.equal(asked().length, 2);
  await ask("d", { text: "x".repeat(16_000) });
  await ask("d", { text: "x".repeat(16_000) });
  assert.equal(asked().length, 1);
  await ask("d", { text: "x".repeat(16_384) });
  await ask("d", { text: "x".repeat(16_384) });
  assert.equal(asked().length, 2);
});

const failures = {
  "an error status": [() => ({ status: 500 }), /status 500/],
  "a cut connection": [() => "hang up", /cannot be asked .*other side closed/],
  "no JSON": [() => ({ body: "<html>" }), /cannot be asked/],
  "no flags": [() => ({ body: { flags: [] } }), /no flags/],
  "no answer in time": [() => undefined, /[Tt]imeout/],
};
for (const [what, [answer, message]] of Object.entries(failures)) {
  test(`${what} leaves flags unresolved, is told, and spares PostHog for five seconds`, async () => {
    mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
    try {
      const { flags, errors } = client({ timeoutMs: 50 });
      posthog.answer.current = answer;
      const answers = await flags.forUser(user);
      assert.equal(answers.isEnabled("on"), true);
      assert.equal(answers.getFeatureFlagResult("sticky").reason, "experience_continuity");
      assert.deepEqual(errors.map(({ code }) => code), ["remote_failed"]);
      assert.match(errors[0].message, message);
      posthog.answer.current = () => ({ body: served });
      await flags.forUser({ ...user, distinctId: "other" });
      assert.equal(asked().length, 1);
      assert.equal(errors.length, 1);
      mock.timers.tick(5000);
      assert.equal((await flags.forUser(user)).isEnabled("sticky"), true);
    } finally {
      mock.timers.reset();
    }
  });
}

test("over quota nobody is asked for a minute, and events say why", async () => {
  mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
  try {
    posthog.answer.current = ({ path }) => ({ body: path.startsWith("/flags") ? { flags: {}, quotaLimited: ["feature_flags"], requestId: "r" } : {} });
    const exposures = createExposures({ projectKey: "phc_project", host: posthog.host });
    const { flags, errors } = client({}, { exposures });
    (await flags.forUser(user)).isEnabled("sticky");
    mock.timers.tick(59_999);
    (await flags.forUser({ ...user, distinctId: "other" })).isEnabled("sticky");
    assert.equal(asked().length, 1);
    assert.match(errors[0].message, /quota_limited/);
    assert.equal(errors.length, 1);
    await exposures.flush();
    const [first, second] = posthog.requests.splice(0).flatMap(({ body }) => body.batch);
    assert.equal(first.properties.$feature_flag_error, "quota_limited,local_evaluation_inconclusive");
    assert.equal(first.properties.$feature_flag_request_id, "r");
    assert.equal(second.properties.$feature_flag_error, "quota_limited,local_evaluation_inconclusive");
    assert.equal("$feature_flag_request_id" in second.properties, false, "the request was another user's");
    mock.timers.tick(1);
    await flags.forUser(user);
    assert.equal(asked().length, 1);
  } finally {
    mock.timers.reset();
  }
});

test("flags that came with an error are not used, and only that user is spared", async () => {
  posthog.answer.current = ({ body }) => ({ body: body.distinct_id === "user-1" ? { ...served, errorsWhileComputingFlags: true } : served });
  const { flags, errors } = client();
  assert.equal((await flags.forUser(user)).getFeatureFlag("sticky"), undefined);
  await flags.forUser(user);
  assert.equal((await flags.forUser({ ...user, distinctId: "other" })).getFeatureFlag("sticky"), true);
  assert.equal(posthog.requests.length, 2);
  assert.equal(errors.length, 1);
  assert.match(errors[0].message, /errors_while_computing_flags/);
});

test("a flag that PostHog failed to compute, or left out, stays unresolved", async () => {
  const { sticky, coloured } = served.flags;
  posthog.answer.current = () => ({ body: { flags: { sticky: { ...sticky, failed: true }, coloured } } });
  const answers = await client().flags.forUser(user);
  assert.equal(answers.getFeatureFlagResult("sticky").reason, "experience_continuity");
  assert.equal(answers.getFeatureFlagResult("needy").reason, "missing_context");
  assert.equal(answers.getFeatureFlag("coloured"), "blue");
});

test("a user that is no JSON is told and costs nobody else anything", async () => {
  const { flags, errors } = client();
  await flags.forUser({ ...user, personProperties: { big: 1n } });
  assert.match(errors[0].message, /cannot be sent as JSON/);
  assert.equal((await flags.forUser(user)).isEnabled("sticky"), true);
});

test("a payload of an answer that is used again is not what an earlier request made of it", async () => {
  const { sticky } = served.flags;
  for (const payload of [sticky.metadata.payload, { a: 1 }]) {
    posthog.answer.current = () => ({ body: { flags: { sticky: { ...sticky, metadata: { ...sticky.metadata, payload } } } } });
    const { flags } = client();
    const first = await flags.forUser(user);
    first.getFeatureFlagPayload("sticky").a = 2;
    first.getAllFlagsAndPayloads().featureFlagPayloads.sticky.a = 3;
    const second = await flags.forUser(user);
    assert.deepEqual(second.getFeatureFlagPayload("sticky"), { a: 1 });
    assert.deepEqual(second.getAllFlagsAndPayloads().featureFlagPayloads.sticky, { a: 1 });
    assert.equal(posthog.requests.splice(0).length, 1);
  }
});

test("after the clock was set back answers are not used again, and PostHog is not left alone, as much longer", async () => {
  mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
  try {
    const { flags } = client();
    await flags.forUser(user);
    mock.timers.setTime(1_600_000_000_000);
    await flags.forUser(user);
    assert.equal(posthog.requests.length, 2);
    posthog.answer.current = () => ({ status: 500 });
    await flags.forUser({ distinctId: "user-2" });
    mock.timers.setTime(1_500_000_000_000);
    await flags.forUser({ distinctId: "user-2" });
    assert.equal(posthog.requests.length, 4);
  } finally {
    mock.timers.reset();
  }
});

test("requests wait for no promise of another", async () => {
  const { flags } = client();
  await Promise.all([flags.forUser(user), flags.forUser(user)]);
  assert.equal(posthog.requests.length, 2);
});

test("wrong options are refused with the fix", () => {
  assert.throws(() => remoteFallback({ projectKey: " " }), { code: "invalid_options", message: /projectKey/ });
  assert.throws(() => remoteFallback({ projectKey: "phc_a", timeoutMs: 0 }), { code: "invalid_options", message: /timeoutMs/ });
  assert.throws(() => remoteFallback({ projectKey: "phc_a", timeoutMs: 2 ** 31 }), { code: "invalid_options", message: /timeoutMs/ });
  for (const host of ["localhost:8000", "posthog.example", "ftp://posthog.example"]) {
    assert.throws(() => remoteFallback({ projectKey: "phc_a", host }), { code: "invalid_options", message: /host.*https:/ });
  }
  assert.throws(() => remoteFallback({ projectKey: "phc_a", maxEntries: -1 }), { code: "invalid_options", message: /maxEntries/ });
});
