/** The refresher's folder, read by a plain posthog-node through the npm package. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileFlagDefinitionCache, fileSource } from "flagpost/node";
import { flagDefinitionCache } from "flagpost/posthog-node";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { calm, openReference } from "../support/reference.mjs";
import { refresh, refresher, upstreamEnv } from "../support/refresher.mjs";
import { FIXTURE_USERS, crowd } from "../support/users.mjs";
import { temporaryFolder } from "../support/worker.mjs";

const USERS = [...FIXTURE_USERS, ...crowd(10)];
const FIXTURE = readFileSync(FIXTURE_DEFINITIONS, "utf8");
const state = temporaryFolder("e2e-posthog-node");
const folder = join(state.path, "snapshots");
const store = `file:${folder}`;
let posthog;
let env;
let reading;

before(async () => {
  posthog = await startPostHog();
  env = upstreamEnv(posthog);
  assert.equal((await refresh(store, env)).outcome.status, "updated");
  reading = await opened({ provider: flagDefinitionCache({ source: fileSource(folder), onError: assert.ifError }) });
});
after(async () => {
  await reading?.close();
  await posthog?.close();
  state.remove();
});

/** A posthog-node that has its definitions. */
async function opened(source) {
  const reference = openReference(source);
  await calm(() => reference.client.waitForLocalEvaluationReady(10_000));
  return reference;
}

/** All users answered after the next poll as by a posthog-node that fetched these definitions. */
async function assertReadsAs(definitions, reader = reading) {
  await calm(() => reader.client.reloadFeatureFlags());
  const reference = await opened({ definitions });
  try {
    for (const user of USERS) assert.deepEqual(await reader.evaluate(user), await reference.evaluate(user), user.distinctId);
  } finally {
    await reference.close();
  }
}

function changed() {
  const definitions = JSON.parse(FIXTURE);
  definitions.flags = definitions.flags.map((flag, index) => (index % 3 === 0 ? { ...flag, active: !flag.active } : flag));
  return JSON.stringify(definitions);
}

test("posthog-node answers from the folder that the refresher wrote, follows new definitions and a rollback", async () => {
  await assertReadsAs(FIXTURE);
  posthog.setDefinitions(changed());
  assert.equal((await refresh(store, env)).outcome.status, "updated");
  await assertReadsAs(changed());
  assert.equal((await refresher(["rollback", "--store", store], env)).code, 0);
  await assertReadsAs(FIXTURE);
  assert.equal((await refresher(["unpin", "--store", store], env)).code, 0);
});

test("the file that the refresher writes for posthog-node is the one that processes share", async () => {
  assert.equal((await refresh(store, env, "--posthog-node-cache")).code, 0);
  const cache = fileFlagDefinitionCache({ folder, projectKey: posthog.projectKey, onError: assert.ifError });
  const reader = await opened({ provider: cache });
  try {
    await assertReadsAs(changed(), reader);
  } finally {
    await reader.close();
  }
});
