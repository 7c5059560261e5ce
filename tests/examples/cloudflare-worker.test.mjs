/** examples/cloudflare-worker as curl asks it. Its answers for whole users are compared in tests/e2e/path.test.mjs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startPostHog } from "../support/posthog.mjs";
import { refresh, upstreamEnv } from "../support/refresher.mjs";
import { ROOT, startWorker, temporaryFolder } from "../support/worker.mjs";
import { EXAMPLES, reference, writeVariables } from "./support.mjs";

const FOLDER = join(EXAMPLES, "cloudflare-worker");

const NONE = { featureFlags: {}, featureFlagPayloads: {}, unresolved: {} };
const state = temporaryFolder("examples-worker");
let posthog;
let worker;
let asked;
before(async () => {
  posthog = await startPostHog();
  worker = await startWorker({ state: state.path, folder: FOLDER });
  asked = reference();
  assert.equal((await refresh(worker.store, { ...upstreamEnv(posthog), ...worker.refresherEnv })).outcome.status, "updated");
});
after(async () => {
  await worker?.stop();
  await asked?.close();
  await posthog?.close();
  state.remove();
});

test("the repository's wrangler.toml starts the same Worker", () => {
  const settings = (folder) => readFileSync(join(folder, "wrangler.toml"), "utf8").replace(/^#.*\n/, "");
  assert.equal(settings(ROOT).replace("examples/cloudflare-worker/", ""), settings(FOLDER));
});

async function get(query) {
  const response = await fetch(`${worker.url}/?${new URLSearchParams(query)}`);
  return { status: response.status, body: await response.json() };
}

test("a user may be spelled out in the query, and one flag or all be asked for", async () => {
  const user = { distinctId: "org-user", personProperties: { plan: "enterprise", order_count: 0 }, groups: { organization: "acme" }, groupProperties: { organization: { employees: 900 } } };
  const query = { user: "org-user", properties: JSON.stringify(user.personProperties), groups: JSON.stringify(user.groups), groupProperties: JSON.stringify(user.groupProperties) };
  for (const flag of [undefined, "pricing-experiment", "first-order-coupon", "advanced-reports", "signup-flow-test", "advanced-search"]) {
    const { status, body } = await get(flag === undefined ? query : { ...query, flag });
    const { snapshot, ...answers } = body;
    assert.equal(status, 200);
    assert.deepEqual(answers, await asked.evaluate(user, flag && [flag]), flag);
    assert.match(snapshot.digest, /^sha256:/);
    assert.ok(snapshot.ageSeconds >= 0);
  }
});

test("a flag that does not exist has no answer", async () => {
  const { snapshot, ...answers } = (await get({ user: "ada", flag: "no-such-flag" })).body;
  assert.deepEqual(answers, NONE);
});

test("a request that says nobody, or no JSON, is refused with the fix", async () => {
  for (const [query, fix] of [[{}, /add \?user=/], [{ user: "ada", properties: "plan=pro" }, /properties is not JSON/], [{ user: "ada", groups: '"acme"' }, /groups is a string/]]) {
    const { status, body } = await get(query);
    assert.equal(status, 400);
    assert.match(body.error, fix);
  }
});

test("the Worker with the cron trigger stores what the other one answers from", async () => {
  const fresh = temporaryFolder("examples-refresh");
  const { POSTHOG_HOST, POSTHOG_PROJECT_KEY, POSTHOG_PERSONAL_API_KEY } = upstreamEnv(posthog);
  const variables = writeVariables(fresh.path, { POSTHOG_HOST, POSTHOG_PROJECT_KEY, POSTHOG_PERSONAL_API_KEY });
  let refreshing;
  let answering;
  try {
    refreshing = await startWorker({ state: fresh.path, folder: FOLDER, args: ["--config", "wrangler.refresh.toml", "--test-scheduled", "--env-file", variables] });
    const run = await fetch(`${refreshing.url}/cdn-cgi/handler/scheduled`);
    assert.equal(run.status, 200, refreshing.process.log());
    assert.equal(await run.text(), "ok", refreshing.process.log());
    await refreshing.process.waitFor("the report", (log) => log.includes('"status":"updated"'));
    await refreshing.stop();
    answering = await startWorker({ state: fresh.path, folder: FOLDER });
    const { snapshot, ...answers } = (await answering.ask({ distinctId: "ada" })).body;
    assert.deepEqual(answers, await asked.evaluate({ distinctId: "ada" }));
  } finally {
    await refreshing?.stop();
    await answering?.stop();
    fresh.remove();
  }
});
