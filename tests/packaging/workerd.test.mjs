/** The packed package in workerd, bundled by wrangler as users bundle it, with real KV and R2 bindings. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Miniflare } from "miniflare";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { openReference } from "../support/reference.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { temporaryFolder } from "../support/worker.mjs";
import { bundleByWrangler, installPackage } from "./project.mjs";

const definitions = readFileSync(new URL("../fixtures/definitions.json", import.meta.url), "utf8");
const other = JSON.stringify({ flags: [{ key: "only", active: true, filters: { groups: [{ rollout_percentage: 100 }] } }] });
const WORKER = `
import { createReader, evaluate, evaluateFlag, kvSource, load } from "flagpost";

let memories = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(...parts) {
    super(...parts);
    memories.push(this.exports.memory);
  }
};

// The module may be started while the script starts, too.
const atStart = evaluateFlag({ flags: [{ key: "on", active: true }] }, "on", { distinctId: "u" });
const readers = {};

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const user = await request.json();
    try {
      if (pathname === "/start") return Response.json(atStart);
      if (pathname === "/instances") return Response.json(memories.length);
      if (pathname === "/load") return Response.json(evaluate(load(await env.FLAGS.get("flagpost", "arrayBuffer")), user));
      if (pathname === "/million") return Response.json(million(load(await env.FLAGS.get("flagpost", "arrayBuffer")), user));
      readers[pathname] ??= createReader({
        source: { "/kv": env.FLAGS, "/r2": env.BUCKET, "/empty": kvSource(env.FLAGS, { key: "empty" }) }[pathname],
        ttl: 0,
      });
      return Response.json(evaluate(await readers[pathname].current(), user));
    } catch (error) {
      return Response.json({ code: error.code, message: error.message }, { status: 500 });
    }
  },
};

const bytes = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

// A million evaluations: how much memory there is after a thousand of them, and after all.
function million(definitions, user) {
  const [key] = definitions.flagKeys;
  const ask = (index) => {
    const asked = { ...user, distinctId: "user-" + index };
    evaluateFlag(definitions, key, asked);
    if (index % 100 === 0) evaluate(definitions, asked);
  };
  for (let index = 0; index < 1000; index++) ask(index);
  const before = bytes();
  for (let index = 1000; index < 1_000_000; index++) ask(index);
  return { before, after: bytes() };
}
`;

let project;
let miniflare;
let expected;
const outputs = temporaryFolder("workerd");

before(async () => {
  project = await installPackage();
  project.write("worker.js", WORKER);
  project.write("wrangler.toml", 'name = "packed"\nmain = "worker.js"\ncompatibility_date = "2025-05-01"\n');
  const bundle = await bundleByWrangler(project.path, outputs.path);
  const wasm = bundle.modules.filter(({ type }) => type === "CompiledWasm");
  assert.equal(wasm.length, 2, `wrangler bundled the modules as files of their own: ${readdirSync(outputs.path)}`);
  miniflare = new Miniflare({
    ...bundle,
    compatibilityDate: "2025-05-01",
    kvNamespaces: ["FLAGS"],
    r2Buckets: ["BUCKET"],
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  await miniflare.ready;
  const reference = openReference({ definitions });
  expected = await Promise.all(FIXTURE_USERS.map((user) => reference.evaluate(user)));
  await reference.close();
});
after(async () => {
  await miniflare?.dispose();
  project?.remove();
  outputs.remove();
});

async function ask(path, user = FIXTURE_USERS[0]) {
  const response = await miniflare.dispatchFetch(`http://worker${path}`, { method: "POST", body: JSON.stringify(user) });
  return response.json();
}

const plain = (value) => JSON.parse(JSON.stringify(value));

test("the evaluator starts while the Worker's script starts", async () => {
  assert.deepEqual(await ask("/start"), { value: false });
});

test("a key that holds nothing is a clear error", async () => {
  const { code, message } = await ask("/empty");
  assert.equal(code, "no_snapshot");
  assert.match(message, /no snapshot at the KV key "empty": write one with "refresher run --store kv:/);
});

for (const [path, name, put] of [
  ["/kv", "a KV binding", async (bytes) => (await miniflare.getKVNamespace("FLAGS")).put("flagpost", bytes)],
  ["/r2", "an R2 bucket", async (bytes) => (await miniflare.getR2Bucket("BUCKET")).put("flagpost", bytes)],
]) {
  test(`a reader of ${name} answers as posthog-node does, and follows what is written`, async () => {
    assert.equal((await ask(path)).code, "no_snapshot");
    await put(definitions);
    for (const [index, user] of FIXTURE_USERS.entries()) assert.deepEqual(await ask(path, user), plain(expected[index]));
    await put(other);
    assert.deepEqual((await ask(path)).featureFlags, { only: true });
    await put('{"flags":[');
    assert.deepEqual((await ask(path)).featureFlags, { only: true }, "damaged bytes keep the last good definitions");
    await put(definitions);
    assert.deepEqual(await ask(path), plain(expected[0]));
  });
}

test("bytes read from KV in the request can be loaded at once", async () => {
  await (await miniflare.getKVNamespace("FLAGS")).put("flagpost", definitions);
  for (const [index, user] of FIXTURE_USERS.entries()) assert.deepEqual(await ask("/load", user), plain(expected[index]));
});

test("a million evaluations in workerd take no more memory than a thousand", async () => {
  await (await miniflare.getKVNamespace("FLAGS")).put("flagpost", compiledSnapshot({ checked_at: "2024-05-01T10:00:00Z" }, JSON.parse(definitions)));
  const { before, after } = await ask("/million");
  assert.ok(before > 0);
  assert.equal(after, before);
});

test("all of this took one instance of the evaluator and one of the compiler", async () => {
  assert.equal(await ask("/instances"), 2);
});
