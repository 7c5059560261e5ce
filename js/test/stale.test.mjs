/** What a reader does with a snapshot that is older than `maxAge`. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createReader, evaluate, evaluateFlag, FlagpostError, load, memorySource } from "flagpost";
import { compiledSnapshot } from "./compiler.mjs";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";

const START = Date.parse("2024-05-01T10:00:00Z");
const user = { distinctId: "user-1" };
const sample = definitions(flag("on"), flag("pros", [filter("plan", "exact", "pro")]), flag("__proto__"));

/** A snapshot that PostHog confirmed so many seconds after the start. */
function confirmed(seconds, content = sample) {
  const time = new Date(START + seconds * 1000).toISOString();
  return compiledSnapshot({ etag: null, digest: "sha256:abc", fetched_at: time, checked_at: time, format: 2 }, content);
}

function withClock(work) {
  return async () => {
    mock.timers.enable({ apis: ["Date"], now: START });
    try {
      await work((seconds) => mock.timers.tick(seconds * 1000));
    } finally {
      mock.timers.reset();
    }
  };
}

test("definitions tell their version, and of load are never stale", withClock(async (pass) => {
  const loaded = load(confirmed(0));
  pass(1e6);
  assert.equal(loaded.version, "sha256:abc");
  assert.equal(loaded.stale, false);
  assert.equal(load(bytesOf(sample)).version, null);
}));

test("by default a stale snapshot is served, and marked", withClock(async (pass) => {
  const source = memorySource(confirmed(0));
  const reader = createReader({ source, ttl: 60, maxAge: 600 });
  pass(600);
  assert.equal((await reader.current()).stale, false);
  pass(1);
  const stale = await reader.current();
  assert.equal(stale.stale, true);
  assert.equal(stale.ageSeconds, 601);
  assert.equal(stale.version, "sha256:abc");
  assert.deepEqual(evaluateFlag(stale, "on", user), { value: true });
  assert.equal(reader.status().stale, true);
  assert.equal(reader.status().stats.staleAnswers, 1);
  assert.equal(await reader.current(), stale);
  source.set(confirmed(601));
  pass(60);
  assert.equal((await reader.current()).stale, false);
}));

test('with onStale "unresolved" every flag that there is has the reason stale_snapshot', withClock(async (pass) => {
  const reader = createReader({ source: memorySource(confirmed(0)), maxAge: 600, onStale: "unresolved" });
  const fresh = await reader.current();
  pass(601);
  const stale = await reader.current();
  const unresolved = Object.fromEntries(["on", "pros", "__proto__"].map((key) => [key, "stale_snapshot"]));
  assert.deepEqual(evaluate(stale, user), { featureFlags: {}, featureFlagPayloads: {}, unresolved });
  const asked = evaluate(stale, user, { flagKeys: ["on", "unknown"] });
  assert.deepEqual(asked, { featureFlags: {}, featureFlagPayloads: {}, unresolved: { on: "stale_snapshot" } });
  assert.deepEqual(evaluateFlag(stale, "on", user), { unresolved: "stale_snapshot" });
  assert.equal(evaluateFlag(stale, "unknown", user), undefined);
  assert.deepEqual(stale.flagKeys, ["on", "pros", "__proto__"]);
  assert.throws(() => evaluate(stale, {}), { code: "invalid_user" });
  assert.deepEqual(evaluateFlag(fresh, "on", user), { value: true }, "a request goes on with what it was given");
}));

test('with onStale "unresolved" flags outside the evaluation contexts stay left out', withClock(async (pass) => {
  const tagged = definitions(flag("everywhere"), { ...flag("web"), evaluation_contexts: ["web"] });
  const source = memorySource(confirmed(0, tagged));
  const reader = createReader({ source, maxAge: 600, onStale: "unresolved", evaluationContexts: ["ios"] });
  pass(601);
  const stale = await reader.current();
  assert.deepEqual(evaluate(stale, user).unresolved, { everywhere: "stale_snapshot" });
  assert.deepEqual(evaluate(stale, user, { flagKeys: ["web", "everywhere"] }).unresolved, { everywhere: "stale_snapshot" });
}));

test('with onStale "throw" the error names age, limit and fix', withClock(async (pass) => {
  const reader = createReader({ source: memorySource(confirmed(0)), maxAge: 600, onStale: "throw" });
  await reader.current();
  pass(601);
  for (let request = 0; request < 2; request++) {
    await assert.rejects(reader.current(), (error) => {
      assert.ok(error instanceof FlagpostError);
      assert.equal(error.code, "stale_snapshot");
      assert.match(error.message, /the snapshot in memory 601 seconds ago.*maxAge is 600.*refresher running\?/);
      return true;
    });
  }
  assert.equal(reader.status().stats.staleAnswers, 2);
}));

test("the error of a stale snapshot says that reading failed, if it did", withClock(async (pass) => {
  const source = memorySource(confirmed(0));
  const reader = createReader({ source, maxAge: 600, onStale: "throw", onError() {} });
  await reader.current();
  source.set(null);
  pass(601);
  await assert.rejects(reader.current(), ({ message, cause }) => /the last read failed: no snapshot/.test(message) && cause.code === "no_snapshot");
}));

for (const onStale of ["unresolved", "throw"]) {
  test(`with onStale "${onStale}" a reader that slept asks its source before it gives up`, withClock(async (pass) => {
    const source = memorySource(confirmed(0));
    const reader = createReader({ source, maxAge: 600, onStale, waitUntil() {} });
    await reader.current();
    pass(86_400);
    source.set(confirmed(86_390));
    const [first, second] = await Promise.all([reader.current(), reader.current()]);
    assert.deepEqual(evaluateFlag(first, "on", user), { value: true });
    assert.equal(second, first);
  }));

  test(`with onStale "${onStale}" a source with nothing newer is asked once per TTL`, withClock(async (pass) => {
    let reads = 0;
    const source = { describe: "the source", read: async () => ({ bytes: confirmed(0), version: String(reads++) }) };
    const reader = createReader({ source, ttl: 60, maxAge: 600, onStale });
    pass(601);
    for (let request = 0; request < 3; request++) await reader.current().catch(() => {});
    assert.equal(reads, 1);
  }));
}

test("definitions as plain JSON have no age, so maxAge says nothing of them", withClock(async (pass) => {
  const reader = createReader({ source: memorySource(bytesOf(sample)), maxAge: 1, onStale: "throw" });
  pass(1000);
  assert.equal((await reader.current()).stale, false);
}));
