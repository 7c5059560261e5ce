/** A plain posthog-node in a Worker, with a reader like PostHog's example for Cloudflare KV, on what we write. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startKvWorker } from "../support/kv-worker.mjs";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { openReference } from "../support/reference.mjs";
import { refresh, refresher, upstreamEnv } from "../support/refresher.mjs";
import { FIXTURE_USERS, crowd } from "../support/users.mjs";

const USERS = [...FIXTURE_USERS, ...crowd(20)];
const FIXTURE = readFileSync(FIXTURE_DEFINITIONS, "utf8");

/** The Worker: posthog-node without credentials, made anew for each request, as the example does. */
const WORKER = `
import { PostHog } from "posthog-node";
class KvReader {
  constructor(kv, projectKey) { this.kv = kv; this.key = "posthog:flags:" + projectKey; }
  async getFlagDefinitions() { return (await this.kv.get(this.key, "json")) ?? undefined; }
  async shouldFetchFlagDefinitions() { return false; }
  async onFlagDefinitionsReceived() { throw new Error("a reader publishes nothing"); }
  shutdown() {}
}
export default {
  async fetch(request, env) {
    const asked = [];
    const client = new PostHog(env.PROJECT_KEY, {
      host: "http://127.0.0.1:1",
      fetch: async (url) => { asked.push(String(url)); throw new Error("a reader asks nobody"); },
      enableLocalEvaluation: true,
      strictLocalEvaluation: true,
      flagDefinitionCacheProvider: new KvReader(env.FLAGS, env.PROJECT_KEY),
    });
    await client.waitForLocalEvaluationReady(5000);
    const answers = [];
    for (const { distinctId, groups, personProperties, groupProperties } of await request.json()) {
      const options = { groups, personProperties, groupProperties, onlyEvaluateLocally: true };
      const { featureFlags, featureFlagPayloads } = await client.getAllFlagsAndPayloads(distinctId, options);
      const { unresolvedFlags } = await client.evaluateFlags(distinctId, options);
      answers.push({ featureFlags, featureFlagPayloads, unresolved: { ...unresolvedFlags } });
    }
    return Response.json({ asked, answers });
  },
};`;

let posthog;
let kv;
let env;

before(async () => {
  posthog = await startPostHog();
  kv = await startKvWorker(WORKER, { bindings: { PROJECT_KEY: posthog.projectKey } });
  env = { ...upstreamEnv(posthog), CLOUDFLARE_API_BASE_URL: kv.base };
});

after(async () => {
  await kv?.stop();
  await posthog?.close();
});

/** All users answered by the reader in workerd as by a posthog-node that holds these definitions. */
async function assertReadsAs(definitions) {
  const { asked, answers } = await kv.ask(USERS);
  assert.deepEqual(asked, [], "it read the cache and asked nobody");
  const reference = openReference({ definitions });
  const values = new Set();
  try {
    for (const [index, user] of USERS.entries()) {
      assert.deepEqual(answers[index], await reference.evaluate(user), user.distinctId);
      Object.values(answers[index].featureFlags).forEach((value) => values.add(value));
    }
  } finally {
    await reference.close();
  }
  return values.size;
}

const write = () => refresh(kv.store, env, "--posthog-node-cache");
const changed = () => {
  const definitions = JSON.parse(FIXTURE);
  definitions.flags = definitions.flags.map((flag, index) => (index % 3 === 0 ? { ...flag, active: !flag.active } : flag));
  return JSON.stringify(definitions);
};

test("posthog-node in workerd answers from what the refresher wrote as one that fetched", async () => {
  const { code, outcome } = await write();
  assert.deepEqual([code, outcome.status, outcome.stores[0].warnings], [0, "updated", []]);
  const values = await assertReadsAs(FIXTURE);
  assert.ok(values >= 15, `many values were compared, not just ${values}`);
});

test("new definitions reach it", async () => {
  posthog.setDefinitions(changed());
  assert.equal((await write()).outcome.status, "updated");
  await assertReadsAs(changed());
});

test("a cache that was lost or spoilt is made good although the answer is 304", async () => {
  const namespace = await kv.miniflare.getKVNamespace("FLAGS");
  const key = `posthog:flags:${posthog.projectKey}`;
  for (const spoil of [() => namespace.delete(key), () => namespace.put(key, '{"flags":[]}')]) {
    await spoil();
    const { code, outcome } = await write();
    assert.deepEqual([code, outcome.status, posthog.requests.at(-1).status], [0, "unchanged", 304]);
    await assertReadsAs(changed());
  }
});

test("it follows a rollback at the next run, and goes on after unpin", async () => {
  const steer = (...args) => refresher([...args, "--store", kv.store], env);
  assert.equal((await steer("rollback")).code, 0);
  assert.equal((await write()).outcome.stores[0].reason, "pinned");
  await assertReadsAs(FIXTURE);
  assert.equal((await steer("unpin")).code, 0);
  assert.equal((await write()).outcome.status, "updated");
  await assertReadsAs(changed());
});

test("a failure of PostHog's leaves it as it is", async () => {
  posthog.setFault({ status: 500 });
  const { code } = await write();
  posthog.setFault(null);
  assert.equal(code, 6);
  await assertReadsAs(changed());
});
