import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, mock, test } from "node:test";
import { createReader, evaluate, FlagpostError, kvSource, r2Source, urlSource } from "flagpost";
import { bytesOf, definitions, flag } from "./definitions.mjs";

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

function withClock(work) {
  return async () => {
    mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
    try {
      await work((seconds) => mock.timers.tick(seconds * 1000));
    } finally {
      mock.timers.reset();
    }
  };
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

  test(`${what} at the first read is thrown, and the next call reads again`, async () => {
    const { errors, onError } = collected();
    const reader = createReader({ source: scripted(result, version(1)), onError });
    await assert.rejects(reader.current(), { name: "FlagpostError", code, message });
    assert.deepEqual(reader.status().loaded, false);
    assert.equal(keys(await reader.current()), "version-1");
    assert.deepEqual(errors, []);
  });
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

test("a read that never ends, of a request that was given up, is replaced after ten seconds", withClock(async (pass) => {
  const source = scripted(version(1), () => new Promise(() => {}), version(2));
  const reader = createReader({ source, ttl: 30 });
  await reader.current();
  pass(30);
  void reader.current();
  pass(10);
  assert.equal(keys(await reader.current()), "version-2");
}));

test("without a snapshot each request reads for itself, so none waits for another", async () => {
  const finish = [];
  const source = scripted(() => new Promise((resolve) => finish.push(resolve)));
  const reader = createReader({ source });
  const requests = [reader.current(), reader.current()];
  assert.equal(finish.length, 2);
  finish[1](version(1));
  assert.equal(keys(await requests[1]), "version-1");
  finish[0](null);
  assert.equal(keys(await requests[0]), "version-1", "an older read does not undo a newer one");
});

test("a slow read does not replace what a later one found", withClock(async (pass) => {
  let finish;
  const source = scripted(version(1), () => new Promise((resolve) => { finish = resolve; }), version(3));
  const reader = createReader({ source, ttl: 5 });
  await reader.current();
  pass(5);
  const slow = reader.current();
  pass(10);
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

test("the status tells what is at hand without asking the source", withClock(async () => {
  const source = scripted(version(1));
  const reader = createReader({ source });
  assert.deepEqual(reader.status(), { source: "the scripted source", loaded: false, info: null, ageSeconds: null, readAt: null, lastError: null });
  await reader.current();
  assert.deepEqual(reader.status(), { source: "the scripted source", loaded: true, info: null, ageSeconds: null, readAt: new Date(), lastError: null });
  assert.equal(source.asked.length, 1);
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
  assert.throws(() => createReader({ source: scripted(null), ttl: -1 }), { code: "invalid_options", message: /ttl/ });
  assert.throws(() => urlSource("https://me:secret@host/"), (error) => error.code === "invalid_options" && !error.message.includes("secret"));
});

test("a binding or a URL may stand in place of a source", () => {
  const get = async () => null;
  const described = (source) => createReader({ source }).status().source;
  assert.equal(described({ get }), 'the KV key "flagpost"');
  assert.equal(described({ get, head: get }), 'the R2 object "flagpost"');
  assert.equal(described("https://host/path?secret=1"), "https://host/path");
  assert.equal(described(new URL("https://host/path?secret=1")), "https://host/path");
  assert.equal(kvSource({ get }, { key: "other" }).describe, 'the KV key "other"');
  assert.equal(r2Source({ get, head: get }, { key: "other" }).describe, 'the R2 object "other"');
});

let answer;
const requests = [];
const server = createServer((request, response) => {
  requests.push(request.headers);
  answer(request, response);
});
const origin = await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
after(() => server.close());

test("a URL is read with its ETag and headers, and unchanged bytes are not sent again", async () => {
  const served = [];
  answer = (request, response) => {
    const unchanged = request.headers["if-none-match"] === '"v1"';
    served.push(unchanged ? 304 : 200);
    response.writeHead(served.at(-1), { etag: '"v1"' }).end(unchanged ? undefined : version(1).bytes);
  };
  const reader = createReader({ source: urlSource(`${origin}/flags?signature=abc`, { headers: { authorization: "Bearer t" } }), ttl: 0 });
  const first = await reader.current();
  assert.equal(await reader.current(), first);
  assert.deepEqual(served, [200, 304]);
  assert.equal(requests.at(-1).authorization, "Bearer t");
});

test("a URL's failures name status and address, but never its query", async () => {
  const reader = createReader({ source: `${origin}/flags?signature=abc` });
  const failsWith = async (expected) => {
    await assert.rejects(reader.current(), (error) => {
      assert.match(`${error.code} ${error.message}`, expected);
      assert.doesNotMatch(error.message, /signature|abc/);
      return true;
    });
  };
  answer = (_request, response) => response.writeHead(503).end("signature");
  await failsWith(/source_failed http:\/\/127\.0\.0\.1:\d+\/flags .*503/);
  answer = (_request, response) => response.writeHead(404).end();
  await failsWith(/no_snapshot .*\/flags/);
  answer = (request) => request.socket.destroy();
  await failsWith(/source_failed .*\/flags cannot be read/);
});

test("a URL that does not answer is given up", async () => {
  answer = () => {};
  const started = Date.now();
  await assert.rejects(urlSource(origin, { timeoutMs: 50 }).read(undefined), { code: "source_failed", message: /timeout/i });
  assert.ok(Date.now() - started < 5000);
  server.closeAllConnections();
});
