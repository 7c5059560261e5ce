/** examples/next-edge, copied, built by Next with the packed package, and served by it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { INSIDE, program } from "../packaging/project.mjs";
import { run, start } from "../support/processes.mjs";
import { ROOT } from "../support/worker.mjs";
import { assertAllFlags, assertPrices, assertRefusesNobody, copyOf, serveSnapshot, writeSnapshot } from "./support.mjs";

const env = { NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1", NODE_ENV: undefined };

let project;
let bucket;
let server;
let url;
before(async () => {
  // Next resolves nothing that lies outside its root.
  project = await copyOf("next-edge", INSIDE);
  project.write("next.config.mjs", `export default ${JSON.stringify({ turbopack: { root: ROOT }, outputFileTracingRoot: ROOT })};`);
  await writeSnapshot(join(project.path, "snapshots"));
  bucket = await serveSnapshot(join(project.path, "snapshots"));
  const options = { cwd: project.path, env: { ...env, FLAGS_URL: bucket.url } };
  const built = await run("next build", process.execPath, [program("next"), "build"], { ...options, timeoutMs: 300_000 });
  assert.equal(built.code, 0, built.stdout + built.stderr);
  server = start("next start", process.execPath, [program("next"), "start", "--hostname", "127.0.0.1", "--port", "0"], options);
  url = await server.waitFor("its address", (log) => log.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/)?.[0]);
});
after(async () => {
  await server?.stop();
  await bucket?.close();
  project?.remove();
});

test("Next builds both routes for its edge runtime, with the slim evaluator", () => {
  const { functions } = JSON.parse(readFileSync(join(project.path, ".next/server/middleware-manifest.json"), "utf8"));
  for (const route of ["/prices/route", "/flags/route"]) {
    assert.deepEqual(functions[route].wasm.map(({ filePath }) => filePath.match(/flagpost_dist_([a-z]+)/)[1]), ["evaluator"]);
  }
});

test("the routes answer as posthog-node does", async () => {
  await assertPrices(url);
  await assertAllFlags(url);
  assert.ok(bucket.requests.includes(200));
});

test("a user who is none is refused, and so is a request without one", async () => {
  await assertRefusesNobody(url);
  assert.equal((await fetch(`${url}/prices`)).status, 400);
});
