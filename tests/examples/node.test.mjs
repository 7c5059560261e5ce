/** examples/node, copied and run with the packed package. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { INSIDE, succeed } from "../packaging/project.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { start } from "../support/processes.mjs";
import { assertAllFlags, assertPrices, assertRefusesNobody, copyOf, pricesOf, writeSnapshot } from "./support.mjs";

let project;
let posthog;
let server;
let url;
before(async () => {
  // Inside the repository, where posthog-node is installed.
  project = await copyOf("node", INSIDE);
  // Takes the events of posthog-node.
  posthog = await startPostHog();
  server = start("server.mjs", process.execPath, ["server.mjs"], { cwd: project.path, env: { PORT: "0", SNAPSHOTS: undefined } });
  const port = await server.waitFor("its port", (log) => log.match(/port: (\d+)/)?.[1]);
  url = `http://127.0.0.1:${port}`;
});
after(async () => {
  await server?.stop();
  await posthog?.close();
  project?.remove();
});

test("without a snapshot the server answers with defaults, and its log says what to do", async () => {
  const response = await fetch(`${url}/prices?user=ada`);
  assert.deepEqual(await response.json(), { page: "control", discount: 0, checkout: "/checkout" });
  assert.match(server.log(), /refresher run --store file:/);
});

test("posthog-node says that there are no flags", async () => {
  assert.deepEqual(JSON.parse(await runPostHogNode()), { checkout: "/checkout" });
});

test("once the refresher has written, the server answers as posthog-node does", async () => {
  await writeSnapshot(join(project.path, "snapshots"));
  // The reader remembers for seconds that there was nothing.
  await server.waitFor("an answer from the snapshot", async () => Object.keys((await allFlags("ada")).featureFlags).length > 0);
  await assertPrices(url);
  await assertAllFlags(url);
});

test("a user who is none is refused, and so is another address", async () => {
  await assertRefusesNobody(url);
  assert.equal((await fetch(`${url}/prices`)).status, 404);
});

test("posthog-node answers from the same folder", async () => {
  for (const [id, plan] of [["ada", "enterprise"], ["user-7", "free"]]) {
    const printed = await runPostHogNode(id, plan);
    const { page, checkout } = await pricesOf(id, plan);
    assert.deepEqual(JSON.parse(printed), { page, checkout });
  }
});

async function allFlags(distinctId) {
  const response = await fetch(`${url}/flags`, { method: "POST", body: JSON.stringify({ distinctId }) });
  return response.json();
}

function runPostHogNode(...args) {
  const env = { POSTHOG_HOST: posthog.url, SNAPSHOTS: undefined };
  return succeed("posthog.mjs", process.execPath, ["posthog.mjs", ...args], { cwd: project.path, env });
}
