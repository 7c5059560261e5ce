/** The server's provider in workerd, bundled by wrangler, over a real KV binding. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { Miniflare } from "miniflare";
import { program, succeed } from "../packaging/project.mjs";
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
export default {
  async fetch(request, env) {
    if (provider === undefined) {
      const flags = createFlags({ reader: createReader({ source: env.FLAGS, ttl: 0, negativeTtl: 0 }) });
      provider = new FlagpostProvider(flags, { preload: false, ctx: { waitUntil } });
      OpenFeature.setProvider(provider);
    }
    return Response.json(await client.getBooleanDetails("pro", false, await request.json()));
  },
};
`;

test("a Worker that doesn't preload answers its first requests, all at once, and recovers from a missing snapshot", async () => {
  const { path, remove } = temporaryFolder("openfeature-workerd");
  let miniflare;
  try {
    symlinkSync(here("../../node_modules"), join(path, "node_modules"));
    writeFileSync(join(path, "worker.js"), WORKER);
    const settings = { compatibilityDate: "2025-08-01", compatibilityFlags: ["nodejs_compat"] };
    const config = { name: "openfeature", main: "worker.js", compatibility_date: settings.compatibilityDate, compatibility_flags: settings.compatibilityFlags };
    writeFileSync(join(path, "wrangler.json"), JSON.stringify(config));
    const outputs = join(path, "bundle");
    mkdirSync(outputs);
    const env = { CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(path, "logs") };
    await succeed("wrangler", process.execPath, [program("wrangler"), "deploy", "--dry-run", "--outdir", outputs], { cwd: path, env });
    const wasm = readdirSync(outputs).filter((name) => name.endsWith(".wasm"));
    miniflare = new Miniflare({
      ...settings,
      modulesRoot: outputs,
      modules: [{ type: "ESModule", path: join(outputs, "worker.js") }, ...wasm.map((name) => ({ type: "CompiledWasm", path: join(outputs, name) }))],
      kvNamespaces: ["FLAGS"],
      host: "127.0.0.1",
      port: 0,
      cf: false,
    });
    const ask = async (context) => (await miniflare.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(context) })).json();
    const missing = await ask({ targetingKey: "user-1", plan: "pro" });
    assert.deepEqual([missing.value, missing.errorCode], [false, "PROVIDER_NOT_READY"]);
    await (await miniflare.getKVNamespace("FLAGS")).put("flagpost", JSON.stringify(definitions(flag("pro", { groups: [when("plan", ["pro"])] }))));
    const users = Array.from({ length: 40 }, (_, index) => ({ targetingKey: `user-${index}`, plan: index % 2 === 0 ? "pro" : "free" }));
    const answers = await Promise.all(users.map(ask));
    for (const [index, { value, reason }] of answers.entries()) {
      assert.deepEqual([value, reason], index % 2 === 0 ? [true, "TARGETING_MATCH"] : [false, "DEFAULT"], `user ${index}`);
    }
  } finally {
    await miniflare?.dispose();
    remove();
  }
});
