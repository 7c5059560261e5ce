/**
 * Runs a command while local stores serve, Workers KV and Convex:
 * `node tests/support/local-stores.mjs cargo test`. The command finds them through the variables
 * FLAGPOST_TEST_KV_BASE, FLAGPOST_TEST_KV_NAMESPACE, FLAGPOST_TEST_CONVEX_URL and
 * FLAGPOST_TEST_CONVEX_KEY.
 */
import { spawn } from "node:child_process";
import { startConvex } from "./local-convex.mjs";
import { startKv } from "./local-kv.mjs";

const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error("usage: node tests/support/local-stores.mjs COMMAND [ARGUMENT…]");
  process.exit(2);
}

const stores = await Promise.all([startKv(), startConvex()]);
const environment = Object.assign({}, ...stores.map((store) => store.environment));
const code = await new Promise((resolve) => {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...environment } });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    console.error(`local-stores: ${command} could not be started: ${error.message}`);
    resolve(127);
  });
  child.once("close", (exitCode, signal) => resolve(exitCode ?? (signal ? 1 : 0)));
});
await Promise.all(stores.map((store) => store.stop()));
process.exit(code);
