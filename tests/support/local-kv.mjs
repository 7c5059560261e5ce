/**
 * Runs a command while a real local Workers KV serves its REST API:
 * `node tests/support/local-kv.mjs cargo test`. The command finds the API through
 * FLAGPOST_TEST_KV_BASE (no account segment) and FLAGPOST_TEST_KV_NAMESPACE.
 */
import { spawn } from "node:child_process";
import { Miniflare } from "miniflare";

const NAMESPACE = "flagpost-test-namespace";
const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error("usage: node tests/support/local-kv.mjs COMMAND [ARGUMENT…]");
  process.exit(2);
}

const miniflare = new Miniflare({
  modules: true,
  script: 'export default { fetch: () => new Response("kv only") };',
  compatibilityDate: "2025-09-01",
  kvNamespaces: { FLAGS: NAMESPACE },
  unsafeLocalExplorer: true,
  host: "127.0.0.1",
  port: 0,
  cf: false,
});
const url = await miniflare.ready;
const base = new URL("/cdn-cgi/explorer/api", url).href;

const code = await new Promise((resolve) => {
  const child = spawn(command, args, {
    stdio: "inherit",
    env: { ...process.env, FLAGPOST_TEST_KV_BASE: base, FLAGPOST_TEST_KV_NAMESPACE: NAMESPACE },
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    console.error(`local-kv: ${command} could not be started: ${error.message}`);
    resolve(127);
  });
  child.once("close", (exitCode, signal) => resolve(exitCode ?? (signal ? 1 : 0)));
});
await miniflare.dispose();
process.exit(code);
