/** posthog-node in a Worker: a client for each request, and one provider on the KV binding for all of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startKvWorker } from "../support/kv-worker.mjs";
import { FIXTURE_DEFINITIONS } from "../support/posthog.mjs";
import { openReference } from "../support/reference.mjs";
import { FIXTURE_USERS, crowd } from "../support/users.mjs";
import { onFlag, snapshotOf, textOf } from "./snapshots.mjs";

const USERS = [...FIXTURE_USERS, ...crowd(10)];
const FIXTURE = readFileSync(FIXTURE_DEFINITIONS, "utf8");

const WORKER = `
import { env } from "cloudflare:workers";
import { flagDefinitionCache } from "flagpost/posthog-node";
import { PostHog } from "posthog-node";

const reported = [];
const flagDefinitionCacheProvider = flagDefinitionCache({ source: env.FLAGS, onError: ({ code }) => reported.push(code) });

export default {
  async fetch(request) {
    const fetch = async () => { throw new Error("nobody is asked"); };
    const client = new PostHog("phc_x", { fetch, flagDefinitionCacheProvider, strictLocalEvaluation: true, featureFlagsPollingInterval: null });
    const answers = [];
    for (const { distinctId, groups, personProperties, groupProperties } of await request.json()) {
      const options = { groups, personProperties, groupProperties, onlyEvaluateLocally: true };
      const { featureFlags, featureFlagPayloads } = await client.getAllFlagsAndPayloads(distinctId, options);
      const { unresolvedFlags } = await client.evaluateFlags(distinctId, options);
      answers.push({ featureFlags, featureFlagPayloads, unresolved: { ...unresolvedFlags } });
    }
    return Response.json({ answers, reported: reported.splice(0) });
  },
};`;

let kv;
before(async () => {
  kv = await startKvWorker(WORKER);
});
after(() => kv?.stop());

/** Stores a snapshot of definitions, and holds the answers to those of a posthog-node that fetched them. */
async function assertAnswers(definitions) {
  await (await kv.miniflare.getKVNamespace("FLAGS")).put("flagpost", snapshotOf(definitions));
  const { answers, reported } = await kv.ask(USERS);
  assert.deepEqual(reported, []);
  const reference = openReference({ definitions });
  try {
    for (const [index, user] of USERS.entries()) assert.deepEqual(answers[index], await reference.evaluate(user), user.distinctId);
  } finally {
    await reference.close();
  }
}

test("posthog-node in workerd answers from the snapshot in KV as one that fetched, and follows it", async () => {
  const { answers, reported } = await kv.ask(USERS);
  assert.deepEqual([answers[0].featureFlags, [...new Set(reported)]], [{}, ["no_snapshot"]]);
  await assertAnswers(FIXTURE);
  await assertAnswers(textOf(onFlag("changed")));
});
