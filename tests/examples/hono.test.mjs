/** examples/hono in workerd, by `wrangler dev` with a local Workers KV. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startPostHog } from "../support/posthog.mjs";
import { refresh, upstreamEnv } from "../support/refresher.mjs";
import { startWorker, temporaryFolder } from "../support/worker.mjs";
import { assertAllFlags, assertPrices, assertRefusesNobody, EXAMPLES } from "./support.mjs";

const state = temporaryFolder("examples-hono");
let posthog;
let worker;
before(async () => {
  posthog = await startPostHog();
  worker = await startWorker({ state: state.path, folder: join(EXAMPLES, "hono") });
});
after(async () => {
  await worker?.stop();
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
