/** The server's provider in workerd, bundled by wrangler, over a real KV binding. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Miniflare } from "miniflare";
import { bundleByWrangler } from "../packaging/project.mjs";
import { temporaryFolder } from "../support/worker.mjs";
import { definitions, flag, when } from "./support.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const WORKER = `
import { waitUntil } from "cloudflare:workers";
import { OpenFeature } from "@openfeature/server-sdk";
import { createFlags, createReader } from "flagpost";
import { FlagpostProvider } from "flagpost/openfeature";

const client = OpenFeature.getClient();
let provider;
let reader;
let isHeld = false;
let isReading = false;

/** KV that can be made to wait. */
const held = (kv) => ({
  async get(...args) {
    for (isReading = true; isHeld; ) await scheduler.wait(5);
    return kv.get(...args);
  },
});

export default {
  async fetch(request, env) {
    if (provider === undefined) {
      reader = createReader({ source: held(env.FLAGS), ttl: 0, negativeTtl: 0 });
      provider = new FlagpostProvider(createFlags({ reader }), { preload: false, ctx: { waitUntil } });
      OpenFeature.setProvider(provider);
    }
    const context = await request.json();
    switch (new URL(request.url).pathname) {
      case "/hold":
        isHeld = true;
        return new Response();
      case "/release":
        isHeld = false;
        return new Response();
      case "/read":
        await reader.current();
        return new Response();
      case "/leave":
        // Ends while its evaluation waits for the read of another request.
        while (!isReading) await scheduler.wait(5);
        void provider.resolveBooleanEvaluation("pro", false, context);
        await scheduler.wait(5);
        return new Response();
    }
    return Response.json(await client.getBooleanDetails("pro", false, context));
  },
};
`;

let folder;
let settings;
before(async () => {
  folder = temporaryFolder("openfeature-workerd");
  const { path } = folder;
  symlinkSync(here("../../node_modules"), join(path, "node_modules"));
  writeFileSync(join(path, "worker.js"), WORKER);
  const dates = { compatibilityDate: "2025-08-01", compatibilityFlags: ["nodejs_compat"] };
  const config = { name: "openfeature", main: "worker.js", compatibility_date: dates.compatibilityDate, compatibility_flags: dates.compatibilityFlags };
  writeFileSync(join(path, "wrangler.json"), JSON.stringify(config));
  const outputs = join(path, "bundle");
  mkdirSync(outputs);
  settings = {
    ...dates,
    ...(await bundleByWrangler(path, outputs)),
    kvNamespaces: ["FLAGS"],
    host: "127.0.0.1",
    port: 0,
    cf: false,
  };
});
after(() => folder.remove());

/** Gives `work` a Worker to ask, and to put a snapshot before. */
async function withWorker(work) {
  const miniflare = new Miniflare(settings);
  const call = (path, context) => miniflare.dispatchFetch(`http://worker${path}`, { method: "POST", body: JSON.stringify(context) });
  const store = async () =>
    (await miniflare.getKVNamespace("FLAGS")).put("flagpost", JSON.stringify(definitions(flag("pro", { groups: [when("plan", ["pro"])] }))));
  try {
    await work({ call, store, ask: async (context) => (await call("/", context)).json() });
  } finally {
    await miniflare.dispose();
  }
}

test("a Worker that doesn't preload answers its first requests, all at once, and recovers from a missing snapshot", async () => {
  await withWorker(async ({ ask, store }) => {
    const missing = await ask({ targetingKey: "user-1", plan: "pro" });
    assert.deepEqual([missing.value, missing.errorCode], [false, "PROVIDER_NOT_READY"]);
    await store();
    const users = Array.from({ length: 40 }, (_, index) => ({ targetingKey: `user-${index}`, plan: index % 2 === 0 ? "pro" : "free" }));
    const answers = await Promise.all(users.map(ask));
    for (const [index, { value, reason }] of answers.entries()) {
      assert.deepEqual([value, reason], index % 2 === 0 ? [true, "TARGETING_MATCH"] : [false, "DEFAULT"], `user ${index}`);
    }
  });
});

test("no request waits for the evaluation of another, which may have ended before it", { timeout: 60_000 }, async () => {
  await withWorker(async ({ ask, call, store }) => {
    await store();
    const user = { targetingKey: "user-1", plan: "pro" };
    await call("/hold", {});
    const reading = call("/read", {});
    await call("/leave", user);
    const answer = ask(user);
    await call("/release", {});
    await reading;
    assert.equal((await answer).value, true);
    assert.equal((await ask(user)).value, true);
  });
});
