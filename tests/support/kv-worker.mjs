/** A Worker with npm packages of the tests in it, in workerd, beside a real local KV. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { build } from "esbuild";
import { startKv } from "./local-kv.mjs";
import { ROOT } from "./worker.mjs";

/**
 * Bundles a Worker's script and starts it.
 * @param {import("miniflare").WorkerOptions} options more of Miniflare's options
 * @returns what `startKv` returns, and `ask(body)`: what the Worker answers to a value
 */
export async function startKvWorker(script, options) {
  const bundle = await build({
    stdin: { contents: script, resolveDir: join(ROOT, "tests"), loader: "js" },
    bundle: true,
    write: false,
    format: "esm",
    conditions: ["workerd", "worker", "edge", "browser"],
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "silent",
  });
  const kv = await startKv({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: bundle.outputFiles[0].text }],
    compatibilityFlags: ["nodejs_compat"],
    ...options,
  });
  return {
    ...kv,
    async ask(body) {
      const response = await kv.miniflare.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(body) });
      const text = await response.text();
      assert.equal(response.status, 200, text.slice(0, 300));
      return JSON.parse(text);
    },
  };
}
