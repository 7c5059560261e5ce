/** examples/hono in workerd, by `wrangler dev` with a local Workers KV. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startPostHog } from "../support/posthog.mjs";
import { refresh, upstreamEnv } from "../support/refresher.mjs";
import { startWorker, temporaryFolder } from "../support/worker.mjs";
import { assertAllFlags, assertPrices, assertRefusesNobody, EXAMPLES, pricesOf, writeVariables } from "./support.mjs";

const state = temporaryFolder("examples-hono");
let posthog;
let worker;
let ingestion;
const events = [];
before(async () => {
  posthog = await startPostHog();
  ingestion = createServer(async (request, response) => {
    events.push(...JSON.parse(Buffer.concat(await request.toArray()).toString()).batch);
    response.end("{}");
  });
  await new Promise((resolve) => ingestion.listen(0, "127.0.0.1", resolve));
  const variables = { POSTHOG_PROJECT_KEY: "phc_test", POSTHOG_HOST: `http://127.0.0.1:${ingestion.address().port}` };
  worker = await startWorker({ state: state.path, folder: join(EXAMPLES, "hono"), args: ["--env-file", writeVariables(state.path, variables)] });
});
after(async () => {
  await worker?.stop();
  ingestion?.close();
  ingestion?.closeAllConnections();
  await posthog?.close();
  state.remove();
});

test("once the refresher has written to KV, the app answers as posthog-node does", async () => {
  const { outcome } = await refresh(worker.store, { ...upstreamEnv(posthog), ...worker.refresherEnv });
  assert.equal(outcome.status, "updated");
  await assertPrices(worker.url);
  await assertAllFlags(worker.url);
});

test("a user who is none is refused", () => assertRefusesNobody(worker.url));

test("what was read is sent to PostHog behind the answer, once per user, flag and answer", async () => {
  for (let time = 0; time < 2; time++) await (await fetch(`${worker.url}/prices?user=grace&plan=enterprise`)).text();
  const ofGrace = () => events.filter(({ distinct_id }) => distinct_id === "grace");
  await worker.process.waitFor("the events", () => ofGrace().length >= 2);
  const read = ofGrace().map(({ event, properties }) => [event, properties.$feature_flag, properties.$feature_flag_response]).sort();
  const { page, checkout } = await pricesOf("grace", "enterprise");
  assert.deepEqual(read, [
    ["$feature_flag_called", "checkout-redesign", checkout === "/checkout/new"],
    ["$feature_flag_called", "pricing-experiment", page],
  ]);
});
