import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createReader, evaluate, FlagpostError, kvSource, r2Source, urlSource } from "flagpost";
import { bytesOf, definitions, filter, flag, manyFlags } from "./definitions.mjs";
import { freshPackage, watched } from "./instances.mjs";

const version = (number) => ({ bytes: bytesOf(definitions(flag(`version-${number}`))), version: String(number) });
const keys = (loaded) => loaded.flagKeys.join();

/** A source that gives out what it is told to, one result per read; the last one stays. */
function scripted(...results) {
  const asked = [];
  return {
    asked,
    describe: "the scripted source",
    async read(previous) {
      asked.push(previous?.version);
      const result = results.length > 1 ? results.shift() : results[0];
      if (result instanceof Error) throw result;
      return typeof result === "function" ? result() : result;
    },
  };
}

/** `pass` lets seconds pass, with what timers do in them and what follows from that. */
function withClock(work) {
  return async () => {
    mock.timers.enable({ apis: ["Date", "setTimeout", "setInterval"], now: 1_700_000_000_000 });
    try {
      await work((seconds) => mock.timers.tick(seconds * 1000));
    } finally {
      mock.timers.reset();
    }
  };
}

/** Lets everything go on that waits for no timer. */
const settled = () => new Promise(setImmediate);

/** Lets time pass, a tenth of a second at a time, until the promises are settled. */
async function whilePassing(pass, promises) {
  let done = false;
  const all = Promise.all(promises).finally(() => { done = true; });
  while (!done) {
    pass(0.1);
    await settled();
  }
  return all;
}

const hanging = () => new Promise(() => {});

/** A request whose timers do not come, because it was cancelled, or because there are none. */
function withoutTimers(work) {
  const { setTimeout, setInterval } = globalThis;
  globalThis.setTimeout = globalThis.setInterval = () => { throw new Error("not here"); };
  try {
    return work();
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval });
  }
}

/** What a reader has counted, without zeros and the rate. */
function countsOf(reader) {
  return Object.fromEntries(Object.entries(reader.status().stats).filter(([name, count]) => count !== 0 && name !== "hitRate"));
}

function collected() {
  const errors = [];
  return { errors, onError: (error) => errors.push(error) };
}

test("the source is asked once per TTL and told what is known", withClock(async (pass) => {
  const source = scripted(version(1), "unchanged", version(2));
  const reader = createReader({ source, ttl: 30 });
  assert.equal(keys(await reader.current()), "version-1");
  pass(29);
  assert.equal(keys(await reader.current()), "version-1");
  assert.deepEqual(source.asked, [undefined]);
  pass(1);
  assert.equal(keys(await reader.current()), "version-1");
  pass(30);
  assert.equal(keys(await reader.current()), "version-2");
  assert.deepEqual(source.asked, [undefined, "1", "1"]);
}));

test("a TTL of 60 seconds is the default", withClock(async (pass) => {
  const source = scripted(version(1));
  const reader = createReader({ source });
  await reader.current();
  pass(59);
  await reader.current();
  assert.equal(source.asked.length, 1);
  pass(1);
  await reader.current();
  assert.equal(source.asked.length, 2);
}));

test("the same definitions are given out while they are unchanged", async () => {
  const reader = createReader({ source: scripted(version(1)), ttl: 1000 });
  assert.equal(await reader.current(), await reader.current());
});

const failures = {
  "the source failing": [new Error("boom"), "source_failed", /the scripted source cannot be read: Error: boom/],
  "the snapshot missing": [null, "no_snapshot", /no snapshot at the scripted source: write one with "refresher run"/],
  "cut JSON": [{ bytes: new TextEncoder().encode('{"flags":['), version: "x" }, "invalid_json", /the scripted source: .*JSON/],
  "damaged bytes": [{ bytes: new TextEncoder().encode("FLAGPOST and so on, but no more"), version: "x" }, "damaged_snapshot", /the scripted source: .*damaged/],
  "an empty answer": [{ bytes: new ArrayBuffer(0), version: "x" }, "invalid_input", /the scripted source: .*empty/],
};
for (const [what, [result, code, message]] of Object.entries(failures)) {
  test(`${what} keeps the last good snapshot, and is reported`, withClock(async (pass) => {
    const { errors, onError } = collected();
    const source = scripted(version(1), result, result, version(2));
    const reader = createReader({ source, ttl: 30, onError });
    await reader.current();
    pass(30);
    assert.equal(keys(await reader.current()), "version-1");
    assert.equal(errors.length, 1);
    assert.ok(errors[0] instanceof FlagpostError);
    assert.equal(errors[0].code, code);
    assert.match(errors[0].message, message);
    assert.equal(reader.status().lastError, errors[0]);
    pass(4);
    await reader.current();
    assert.equal(source.asked.length, 2, "it is left alone for five seconds");
    pass(1);
    assert.equal(keys(await reader.current()), "version-1");
    pass(5);
    assert.equal(keys(await reader.current()), "version-2");
    assert.equal(reader.status().lastError, null);
    assert.deepEqual(source.asked, [undefined, "1", "1", "1"]);
  }));

  test(`${what} at the first read is thrown, for five seconds without asking again`, withClock(async (pass) => {
    const { errors, onError } = collected();
    const source = scripted(result, version(1));
    const reader = createReader({ source, onError });
    const thrown = await reader.current().catch((error) => error);
    const again = await reader.current().catch((error) => error);
    for (const error of [thrown, again]) {
      assert.ok(error instanceof FlagpostError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
    }
    assert.notEqual(again, thrown, "each request has an error of its own");
    assert.equal(again.cause, thrown.cause);
    assert.equal(reader.status().loaded, false);
    assert.equal(source.asked.length, 1);
    pass(5);
    assert.equal(keys(await reader.current()), "version-1");
    assert.deepEqual(errors, []);
  }));
}

test("without an onError a failure is printed", withClock(async (pass) => {
  const warn = mock.method(console, "warn", () => {});
  const reader = createReader({ source: scripted(version(1), new Error("boom")), ttl: 1 });
  await reader.current();
  pass(1);
  await reader.current();
  warn.mock.restore();
  assert.match(warn.mock.calls[0].arguments[0], /flagpost: the scripted source cannot be read/);
}));

test("while one request reads, the others are served at once from the last good snapshot", withClock(async (pass) => {
  let finish;
  const slow = () => new Promise((resolve) => { finish = () => resolve(version(2)); });
  const source = scripted(version(1), slow);
  const reader = createReader({ source, ttl: 30 });
  await reader.current();
  pass(30);
  const refreshing = reader.current();
  assert.equal(keys(await reader.current()), "version-1");
  assert.equal(source.asked.length, 2);
  finish();
  assert.equal(keys(await refreshing), "version-2");
  assert.equal(keys(await reader.current()), "version-2");
}));

test("a source that does not answer fails after ten seconds", withClock(async (pass) => {
  const { errors, onError } = collected();
  const source = scripted(version(1), hanging, version(2));
  const reader = createReader({ source, ttl: 30, onError });
  await reader.current();
  pass(30);
  const waiting = reader.current();
  pass(9);
  assert.equal(reader.status().lastError, null);
  pass(1);
  assert.equal(keys(await waiting), "version-1");
  assert.match(errors[0].message, /the scripted source did not answer within 10 seconds/);
  assert.equal(errors[0].code, "source_failed");
  pass(5);
  assert.equal(keys(await reader.current()), "version-2");
}));

test("a read whose request was given up, with its timers, is replaced after eleven seconds", withClock(async (pass) => {
  const source = scripted(version(1), hanging, version(2));
  const reader = createReader({ source, ttl: 30 });
  await reader.current();
  pass(30);
  withoutTimers(() => void reader.current());
  pass(10);
  assert.equal(keys(await reader.current()), "version-1");
  pass(1);
  assert.equal(keys(await reader.current()), "version-2");
}));

test("without a snapshot one request reads, and the others find what it found", withClock(async (pass) => {
  let finish;
  const source = scripted(() => new Promise((resolve) => { finish = resolve; }), version(2));
  const reader = createReader({ source });
  const requests = [reader.current(), reader.current({}), reader.current()];
  pass(1);
  await settled();
  assert.equal(source.asked.length, 1);
  finish(version(1));
  for (const loaded of await whilePassing(pass, requests)) assert.equal(keys(loaded), "version-1");
  assert.equal(source.asked.length, 1);
  assert.deepEqual(countsOf(reader), { misses: 3, refreshes: 1 });
}));

test("the requests that wait for a first read get its failure, each as an error of its own", withClock(async (pass) => {
  let finish;
  const source = scripted(() => new Promise((resolve) => { finish = resolve; }));
  const reader = createReader({ source });
  const requests = [reader.current(), reader.current()].map((request) => request.catch((error) => error));
  finish(null);
  const errors = await whilePassing(pass, requests);
  assert.deepEqual(errors.map(({ code }) => code), ["no_snapshot", "no_snapshot"]);
  assert.notEqual(errors[0], errors[1]);
  assert.equal(source.asked.length, 1);
}));

test("one of the requests that wait takes over from one that was given up, and only one", withClock(async (pass) => {
  const source = scripted(hanging, version(1));
  const reader = createReader({ source });
  withoutTimers(() => void reader.current());
  const requests = [reader.current(), reader.current(), reader.current()];
  for (const loaded of await whilePassing(pass, requests)) assert.equal(keys(loaded), "version-1");
  assert.equal(source.asked.length, 2);
}));

test("a slow first read is waited for as long as its request lives", withClock(async (pass) => {
  let finish;
  const source = scripted(() => new Promise((resolve) => { finish = resolve; }));
  const reader = createReader({ source });
  const requests = [reader.current(), reader.current()];
  for (let second = 0; second < 9; second++) {
    pass(1);
    await settled();
  }
  assert.equal(source.asked.length, 1);
  finish(version(1));
  for (const loaded of await whilePassing(pass, requests)) assert.equal(keys(loaded), "version-1");
}));

test("where there are no timers, as in Convex's queries, each request reads for itself", async () => {
  const finish = [];
  const source = scripted(() => new Promise((resolve) => finish.push(resolve)));
  const reader = createReader({ source, onError() {} });
  const requests = withoutTimers(() => [reader.current(), reader.current()]);
  await settled();
  assert.equal(finish.length, 2);
  finish[1](version(1));
  assert.equal(keys(await requests[1]), "version-1");
  finish[0](null);
  assert.equal(keys(await requests[0]), "version-1", "an older read does not undo a newer one");
});

test("a context that outlives its request does not wait for ever for what that one began", withClock(async () => {
  const source = scripted(() => new Promise(() => {}), version(1));
  const reader = createReader({ source });
  const ctx = {};
  void reader.current(ctx);
  await settled();
  // The request ended, and its timers with it: time passes, but none of them fires.
  mock.timers.setTime(Date.now() + 60_000);
  assert.equal(keys(await reader.current(ctx)), "version-1");
}));

test("the calls of one request share a read, also where each other request reads", withClock(async (pass) => {
  let finish;
  const source = scripted(version(1), () => new Promise((resolve) => { finish = resolve; }));
  const reader = createReader({ source, ttl: 30 });
  await reader.current();
  pass(30);
  const ctx = {};
  const calls = [reader.current(ctx), reader.current(ctx)];
  assert.equal(keys(await reader.current({})), "version-1", "another request goes on with what is there");
  finish(version(2));
  assert.deepEqual((await Promise.all(calls)).map(keys), ["version-2", "version-2"]);
  assert.equal(source.asked.length, 2);
  pass(30);
  await Promise.all([reader.current(ctx), finish(version(3))]);
  assert.equal(source.asked.length, 3, "a context that lives on does not keep its first answer");
}));

for (const [where, options, ctxOf] of [
  ["the context's waitUntil", {}, (kept) => ({ waitUntil(work) { assert.equal(this.waitUntil !== undefined, true); kept.push(work); } })],
  ["the option waitUntil", (kept) => ({ waitUntil: (work) => void kept.push(work) }), () => undefined],
  ["a context without one and the option", (kept) => ({ waitUntil: (work) => void kept.push(work) }), () => ({})],
]) {
  test(`with ${where} an expired snapshot is answered at once and read behind the request`, withClock(async (pass) => {
    const kept = [];
    let finish;
    const source = scripted(version(1), () => new Promise((resolve) => { finish = resolve; }));
    const reader = createReader({ source, ttl: 30, ...(typeof options === "function" ? options(kept) : options) });
    await reader.current(ctxOf([]));
    kept.length = 0;
    pass(30);
    for (let request = 0; request < 3; request++) assert.equal(keys(await reader.current(ctxOf(kept))), "version-1");
    assert.equal(source.asked.length, 2);
    assert.equal(kept.length, 1);
    finish(version(2));
    await kept[0];
    assert.equal(keys(await reader.current(ctxOf(kept))), "version-2");
    assert.deepEqual(countsOf(reader), { hits: 4, misses: 1, expiredHits: 3, refreshes: 2 });
  }));
}

test("a read behind a request that fails is reported, and rejects nothing", withClock(async (pass) => {
  const kept = [];
  const { errors, onError } = collected();
  const source = scripted(version(1), new Error("boom"));
  const reader = createReader({ source, ttl: 30, onError, waitUntil: (work) => kept.push(work) });
  await reader.current();
  pass(30);
  assert.equal(keys(await reader.current()), "version-1");
  await Promise.all(kept);
  assert.match(errors[0].message, /boom/);
}));

test("an onError that throws makes no answer fail", withClock(async (pass) => {
  const reader = createReader({ source: scripted(version(1), new Error("boom")), ttl: 1, onError() { throw new Error("too"); } });
  await reader.current();
  pass(1);
  assert.equal(keys(await reader.current()), "version-1");
}));

test("an onError that fails later, as an async function does, makes no process fail", async () => {
  let unhandled = 0;
  const count = () => unhandled++;
  process.on("unhandledRejection", count);
  try {
    const reader = createReader({ source: scripted(version(1), new Error("boom")), ttl: 0, onError: async () => { throw new Error("too"); } });
    await reader.current();
    assert.equal(keys(await reader.current()), "version-1");
    await settled();
    assert.equal(unhandled, 0);
  } finally {
    process.off("unhandledRejection", count);
  }
});

test("after the clock was set back the source is asked again, and not as much later", withClock(async (pass) => {
  const source = scripted(version(1), version(2), new Error("boom"), version(3));
  const reader = createReader({ source, ttl: 30, onError() {} });
  await reader.current();
  mock.timers.setTime(Date.now() - 3_600_000);
  assert.equal(keys(await reader.current()), "version-2");
  mock.timers.setTime(Date.now() - 500);
  await reader.current();
  assert.equal(source.asked.length, 2, "a small step changes nothing");
  pass(31);
  assert.equal(keys(await reader.current()), "version-2");
  mock.timers.setTime(Date.now() - 3_600_000);
  assert.equal(keys(await reader.current()), "version-3");
}));

test("after the clock was set back, a request that was cancelled is still replaced", withClock(async (pass) => {
  const source = scripted(version(1), hanging, version(2));
  const reader = createReader({ source, ttl: 30 });
  await reader.current();
  pass(30);
  withoutTimers(() => void reader.current());
  mock.timers.setTime(Date.now() - 3_600_000);
  assert.equal(keys(await reader.current()), "version-2");
}));

test("an endless TTL has no next read", async () => {
  const reader = createReader({ source: scripted(version(1)), ttl: Infinity });
  await reader.current();
  assert.equal(reader.status().nextReadAt, null);
});

for (const [when, seconds] of [["0", 0], ["a time that has passed", 10]]) {
  test(`with staleWhileRevalidate of ${when} the request that finds the snapshot expired waits`, withClock(async (pass) => {
    const source = scripted(version(1), version(2));
    const reader = createReader({ source, ttl: 30, staleWhileRevalidate: seconds, waitUntil() {} });
    await reader.current();
    pass(30 + seconds);
    assert.equal(keys(await reader.current()), "version-2");
  }));
}

test("within staleWhileRevalidate nobody waits", withClock(async (pass) => {
  const reader = createReader({ source: scripted(version(1), hanging), ttl: 30, staleWhileRevalidate: 10, waitUntil() {} });
  await reader.current();
  pass(39);
  assert.equal(keys(await reader.current()), "version-1");
}));

test("a waitUntil that there is no request for is done without", withClock(async (pass) => {
  const source = scripted(version(1), version(2));
  const reader = createReader({ source, ttl: 30, waitUntil() { throw new Error("no request"); } });
  await reader.current();
  pass(30);
  assert.equal(keys(await reader.current()), "version-2");
}));

test("a slow read does not replace what a later one found", withClock(async (pass) => {
  let finish;
  const source = scripted(version(1), () => new Promise((resolve) => { finish = resolve; }), version(3));
  const reader = createReader({ source, ttl: 5 });
  await reader.current();
  pass(5);
  const slow = withoutTimers(() => reader.current());
  pass(11);
  assert.equal(keys(await reader.current()), "version-3");
  finish(version(2));
  assert.equal(keys(await slow), "version-3");
}));

test("definitions that were replaced go on working for those who hold them", withClock(async (pass) => {
  const reader = createReader({ source: scripted(version(1), version(2)), ttl: 1 });
  const held = await reader.current();
  pass(1);
  await reader.current();
  assert.deepEqual(evaluate(held, { distinctId: "u" }).featureFlags, { "version-1": true });
}));

test("the status tells what is at hand and what was counted, without asking the source", withClock(async (pass) => {
  const source = scripted(version(1), "unchanged", new Error("boom"));
  const reader = createReader({ source, ttl: 30, onError() {} });
  const nothing = { hits: 0, misses: 0, expiredHits: 0, refreshes: 0, unchanged: 0, errors: 0, staleAnswers: 0, hitRate: null };
  const before = { source: "the scripted source", from: null, loaded: false, info: null, ageSeconds: null, stale: false, readAt: null, nextReadAt: null, lastError: null };
  assert.deepEqual(reader.status(), { ...before, stats: nothing });
  await reader.current();
  const readAt = new Date();
  const nextReadAt = new Date(Date.now() + 30_000);
  const first = { ...before, from: "the scripted source", loaded: true, readAt, nextReadAt };
  assert.deepEqual(reader.status(), { ...first, stats: { ...nothing, misses: 1, refreshes: 1, hitRate: 0 } });
  for (let call = 0; call < 3; call++) await reader.current();
  assert.deepEqual(reader.status().stats, { ...nothing, hits: 3, misses: 1, refreshes: 1, hitRate: 0.75 });
  for (let read = 0; read < 2; read++) {
    pass(30);
    await reader.current();
  }
  const { stats, lastError, nextReadAt: retry } = reader.status();
  assert.deepEqual(stats, { ...nothing, hits: 3, misses: 3, refreshes: 1, unchanged: 1, errors: 1, hitRate: 0.5 });
  assert.match(lastError.message, /boom/);
  assert.equal(retry - new Date(), 5000);
  assert.equal(source.asked.length, 3);
}));

test("evaluation contexts reach the definitions", async () => {
  const bytes = bytesOf(definitions(flag("everywhere"), { ...flag("web"), evaluation_contexts: ["web"] }));
  const reader = createReader({ source: scripted({ bytes, version: "1" }), evaluationContexts: ["ios"] });
  assert.equal(keys(await reader.current()), "everywhere");
});

test("wrong options are refused with the fix", () => {
  assert.throws(() => createReader({ source: undefined }), { code: "invalid_options", message: /KV or R2 binding.*wrangler\.toml/ });
  assert.throws(() => createReader({ source: {} }), { code: "invalid_options" });
  assert.throws(() => createReader({ source: "/relative" }), { code: "invalid_options", message: /https:\/\// });
  const wrong = { ttl: -1, negativeTtl: "5", staleWhileRevalidate: NaN, maxAge: -1, timeout: 0, onStale: "fail", waitUntil: {} };
  for (const timeout of [Infinity, 2_147_484]) assert.throws(() => createReader({ source: scripted(null), timeout }), { code: "invalid_options", message: /timeout/ });
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(() => createReader({ source: scripted(null), [name]: value }), { code: "invalid_options", message: new RegExp(name) });
  }
  assert.throws(() => createReader({ source: scripted(null), onStale: "throw" }), { code: "invalid_options", message: /maxAge/ });
  assert.throws(() => createReader({ source: [] }), { code: "invalid_options", message: /empty/ });
  assert.throws(() => urlSource("https://me:secret@host/"), (error) => error.code === "invalid_options" && !error.message.includes("secret"));
});

test("a binding or a URL may stand in place of a source", () => {
  const get = async () => null;
  const described = (source) => createReader({ source }).status().source;
  assert.equal(described({ get }), 'the KV key "flagpost"');
  assert.equal(described({ get, head: get }), 'the R2 object "flagpost"');
  assert.equal(described({ get, atomic: get }), 'the Deno KV key "flagpost"');
  assert.equal(described(new Uint8Array(1)), "the snapshot in memory");
  assert.equal(described(new ArrayBuffer(1)), "the snapshot in memory");
  assert.equal(described([{ get }, "https://host/path"]), 'the KV key "flagpost", else https://host/path');
  assert.equal(described("https://host/path?secret=1"), "https://host/path");
  assert.equal(described(new URL("https://host/path?secret=1")), "https://host/path");
  assert.equal(kvSource({ get }, { key: "other" }).describe, 'the KV key "other"');
  assert.equal(r2Source({ get, head: get }, { key: "other" }).describe, 'the R2 object "other"');
});

test("requests that go on with a snapshot that was replaced leave nothing in the module, where nobody tells of garbage", async () => {
  const { FinalizationRegistry } = globalThis;
  delete globalThis.FinalizationRegistry;
  try {
    const { createFlags, createReader, load } = freshPackage();
    const snapshotOf = (number) => bytesOf(definitions(flag("pros", [filter("plan", "exact", `pro ${number}`)]), ...manyFlags(1000).flags));
    const { instances } = watched(() => load(snapshotOf("first")));
    const [{ memory }] = instances.filter(({ compiles }) => !compiles);
    let reads = 0;
    const source = { describe: "the source", read: async () => ({ bytes: snapshotOf(++reads), version: String(reads) }) };
    const flags = createFlags({ reader: createReader({ source, ttl: 0 }) });
    const refreshed = async (times) => {
      for (let time = 0; time < times; time++) {
        const before = await flags.forUser({ distinctId: "user-1", personProperties: { plan: "free" } });
        await flags.forUser({ distinctId: "user-2" });
        assert.equal(before.isEnabled("pros"), false);
      }
      return memory.buffer.byteLength;
    };
    assert.equal(await refreshed(40), await refreshed(10));
  } finally {
    globalThis.FinalizationRegistry = FinalizationRegistry;
  }
});

test("a read that ends after a later one leaves nothing in the module", withClock(async (pass) => {
  const { FinalizationRegistry } = globalThis;
  delete globalThis.FinalizationRegistry;
  try {
    const { createReader, load } = freshPackage();
    const snapshotOf = (number) => bytesOf(definitions(flag(`version-${number}`), ...manyFlags(1000).flags));
    const { instances } = watched(() => load(snapshotOf("first")));
    const [{ memory }] = instances.filter(({ compiles }) => !compiles);
    let reads = 0;
    let end;
    const held = () => new Promise((resolve) => { end = resolve; });
    const source = { describe: "the source", read: async () => (++reads % 2 === 0 ? held() : { bytes: snapshotOf(reads), version: String(reads) }) };
    const reader = createReader({ source, ttl: 0 });
    await reader.current();
    const overtaken = async (times) => {
      for (let time = 0; time < times; time++) {
        const late = withoutTimers(() => reader.current());
        pass(12);
        const { flagKeys } = await reader.current();
        end({ bytes: snapshotOf(`late ${reads}`), version: "late" });
        assert.deepEqual((await late).flagKeys, flagKeys);
      }
      return memory.buffer.byteLength;
    };
    assert.equal(await overtaken(40), await overtaken(10));
  } finally {
    globalThis.FinalizationRegistry = FinalizationRegistry;
  }
}));
