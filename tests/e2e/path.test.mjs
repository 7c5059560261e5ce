/** The whole path with every part the real one, and posthog-node asked for the same answers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stopAll } from "../support/processes.mjs";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { openReference } from "../support/reference.mjs";
import { refresh, refresher, upstreamEnv } from "../support/refresher.mjs";
import { FIXTURE_USERS, crowd } from "../support/users.mjs";
import { startWorker, temporaryFolder } from "../support/worker.mjs";

const USERS = [...FIXTURE_USERS, ...crowd(60)];
const FLAGS = JSON.parse(readFileSync(FIXTURE_DEFINITIONS, "utf8")).flags.map(({ key }) => key).sort();
const state = temporaryFolder("e2e-path");
let posthog;
let worker;
let env;

before(async () => {
  posthog = await startPostHog();
  worker = await startWorker({ state: state.path });
  env = { ...upstreamEnv(posthog), ...worker.refresherEnv };
});

after(async () => {
  await stopAll();
  await posthog?.close();
  state.remove();
});

function answersOf({ featureFlags, featureFlagPayloads, unresolved }) {
  return { featureFlags, featureFlagPayloads, unresolved };
}

/** Asks posthog-node and `ask` about every user, and compares all of it. */
async function assertSameAnswers(ask) {
  const reference = openReference({ host: posthog.url, projectKey: posthog.projectKey, personalKey: posthog.personalKey });
  const seen = { values: new Set(), reasons: new Set(), payloads: 0 };
  try {
    for (const user of USERS) {
      const expected = await reference.evaluate(user);
      const decided = [...Object.keys(expected.featureFlags), ...Object.keys(expected.unresolved)].sort();
      assert.deepEqual(decided, FLAGS, "posthog-node has an answer or a reason for every flag");
      assert.deepEqual(answersOf(await ask(user)), expected, `the answers for ${user.distinctId}`);
      for (const value of Object.values(expected.featureFlags)) seen.values.add(value);
      for (const reason of Object.values(expected.unresolved)) seen.reasons.add(reason);
      seen.payloads += Object.keys(expected.featureFlagPayloads).length;
    }
  } finally {
    await reference.close();
  }
  assert.ok(seen.values.size >= 20, `the users see many values, not just ${[...seen.values]}`);
  assert.deepEqual([...seen.reasons].sort(), ["experience_continuity", "missing_context", "unresolved_dependency", "unsupported_definition"]);
  assert.ok(seen.payloads > USERS.length, "there are payloads to compare");
}

async function askWorker(user) {
  const { status, body } = await worker.ask(user);
  assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
  return body;
}

test("before the first snapshot the worker answers 503 and says how to write one", async () => {
  const { status, body } = await worker.ask(FIXTURE_USERS[0]);
  assert.equal(status, 503);
  assert.match(JSON.stringify(body), /refresher run/);
});

test("the first refresh stores the definitions", async () => {
  const { code, outcome } = await refresh(worker.store, env);
  assert.equal(code, 0);
  assert.equal(outcome.status, "updated");
});

test("the worker that found nothing asks again by itself", async () => {
  await worker.process.waitFor("an answer from the first snapshot", async () => (await worker.ask(FIXTURE_USERS[0])).status === 200, 30_000);
});

test("the worker gives posthog-node's answer to every flag for every user", async () => {
  await assertSameAnswers(askWorker);
});

test("the worker gives posthog-node's answer when asked for a single flag", async () => {
  const reference = openReference({ host: posthog.url, projectKey: posthog.projectKey, personalKey: posthog.personalKey });
  try {
    let asked = 0;
    for (const key of FLAGS) {
      const expected = await reference.evaluate(FIXTURE_USERS[0], [key]);
      const { status, body } = await worker.ask(FIXTURE_USERS[0], key);
      assert.equal(status, 200);
      assert.deepEqual(answersOf(body), expected);
      asked += Object.keys(body.featureFlags).length + Object.keys(body.unresolved).length;
    }
    assert.equal(asked, FLAGS.length, "one answer each");
  } finally {
    await reference.close();
  }
});

test("the worker names the snapshot and its age with every answer", async () => {
  const { snapshot } = await askWorker(FIXTURE_USERS[0]);
  assert.match(snapshot.digest, /^sha256:[0-9a-f]{64}$/);
  assert.ok(snapshot.ageSeconds >= 0 && snapshot.ageSeconds < 120, `age ${snapshot.ageSeconds}`);
});

test("a second refresh is answered by 304 and changes nothing", async () => {
  const { code, outcome } = await refresh(worker.store, env);
  assert.equal(code, 0);
  assert.equal(outcome.status, "unchanged");
  assert.equal(posthog.requests.at(-1).status, 304);
});

test("the refresher itself gives posthog-node's answers from a folder, natively", async () => {
  const store = join(state.path, "snapshots");
  assert.equal((await refresh(`file:${store}`, env)).code, 0);
  await assertSameAnswers(async (user) => {
    const { code, stdout, stderr } = await refresher(["eval", join(store, "flags.snapshot"), "--user", JSON.stringify(user)]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  });
});

test("new definitions reach the worker, with the other rule of property matching", async () => {
  const definitions = readFileSync(FIXTURE_DEFINITIONS, "utf8").replace('"property_matching_version":2', '"property_matching_version":1');
  posthog.setDefinitions(definitions);
  const { code, outcome } = await refresh(worker.store, env);
  assert.equal(code, 0);
  assert.equal(outcome.status, "updated");
  const before = await askWorker(FIXTURE_USERS[0]);
  await worker.stop();
  worker = await startWorker({ state: state.path });
  const now = await askWorker(FIXTURE_USERS[0]);
  assert.notEqual(now.snapshot.digest, before.snapshot.digest);
  await assertSameAnswers(askWorker);
});
