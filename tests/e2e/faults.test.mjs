/** Whatever breaks, and whenever: the previous snapshot, or the new one, is there and answers. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "flagpost";
import { start, stopAll } from "../support/processes.mjs";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { REFRESHER, refresh, refresher, upstreamEnv } from "../support/refresher.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { ROOT, startWorker, temporaryFolder } from "../support/worker.mjs";

const ADA = FIXTURE_USERS[0];
const KILLS = 40;
const DEFINITIONS = readFileSync(FIXTURE_DEFINITIONS, "utf8");
const state = temporaryFolder("e2e-faults");
const folder = join(state.path, "snapshots");
const fileStore = `file:${folder}`;
const fileSnapshot = join(folder, "flags.snapshot");
let posthog;
let worker;
let env;
let good;
/** Milliseconds that an undisturbed refresh takes here, so that it can be hit in each of its phases. */
let typical;

before(async () => {
  posthog = await startPostHog();
  worker = await startWorker({ state: state.path });
  env = { ...upstreamEnv(posthog), ...worker.refresherEnv };
  const times = [];
  for (const definitions of [edition(1), edition(2), DEFINITIONS]) {
    posthog.setDefinitions(definitions);
    const started = performance.now();
    for (const store of [worker.store, fileStore]) assert.equal((await refresh(store, env)).outcome.status, "updated");
    times.push((performance.now() - started) / 2);
  }
  typical = Math.min(...times);
  good = { kv: await readKv(), file: readFileSync(fileSnapshot), answers: (await worker.ask(ADA)).body };
  assert.equal(good.answers.snapshot.digest, load(good.kv).info.digest);
});

after(async () => {
  await stopAll();
  await posthog?.close();
  state.remove();
});

async function readKv() {
  const response = await fetch(`${worker.kvBase}/storage/kv/namespaces/${worker.namespaceId}/values/flagpost`);
  assert.equal(response.status, 200, "the snapshot is in KV");
  return new Uint8Array(await response.arrayBuffer());
}

/** The definitions with another name for one flag: as large, and another digest. */
function edition(number) {
  return DEFINITIONS.replace("Dark theme for everybody", `Dark theme, edition ${String(number).padStart(3, "0")}`);
}

const upstreamFaults = {
  "401": { status: 401 },
  "402, the quota is used up": { status: 402 },
  "403": { status: 403 },
  "404": { status: 404 },
  "429 that asks for an hour": { status: 429, retryAfter: 3600 },
  "500": { status: 500 },
  "503, its cache is cold": { status: 503, body: '{"detail":"Required data not found in cache"}' },
  "a redirect": { status: 302, headers: { location: "https://elsewhere.example/" } },
  "a broken connection": { drop: true },
  "half of the body": { cutAfter: 2000 },
  "a page instead of JSON": { body: "<!doctype html><title>maintenance</title>" },
  "half of the JSON": { body: DEFINITIONS.slice(0, DEFINITIONS.length / 2) },
  "JSON of another shape": { body: '{"results":[]}' },
  "flags that are no list": { body: '{"flags":{"a":1}}' },
};
for (const [name, fault] of Object.entries(upstreamFaults)) {
  test(`when posthog answers with ${name}, the refresh fails and both stores keep their bytes`, async () => {
    posthog.setDefinitions(edition(3));
    posthog.setFault(fault);
    for (const store of [worker.store, fileStore]) {
      const { code, outcome } = await refresh(store, env);
      assert.notEqual(code, 0);
      assert.notEqual(outcome.status, "updated");
    }
    posthog.setFault(null);
    posthog.setDefinitions(DEFINITIONS);
    assert.deepEqual(await readKv(), good.kv);
    assert.deepEqual(readFileSync(fileSnapshot), good.file);
    const { status, body } = await worker.ask(ADA);
    assert.equal(status, 200);
    assert.deepEqual(body.featureFlags, good.answers.featureFlags);
  });
}

test("an empty list of flags does not replace a good one", async () => {
  posthog.setDefinitions('{"flags":[],"group_type_mapping":{},"cohorts":{}}');
  for (const store of [worker.store, fileStore]) {
    const { outcome } = await refresh(store, env);
    assert.notEqual(outcome.status, "updated");
  }
  posthog.setDefinitions(DEFINITIONS);
  assert.deepEqual(await readKv(), good.kv);
  assert.deepEqual(readFileSync(fileSnapshot), good.file);
});

test("a refresh after a fault is a whole one, because no entity tag outlived a failed write", async () => {
  posthog.setDefinitions(edition(4));
  const { code } = await refresh(worker.store, { ...env, CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9/gone" });
  assert.notEqual(code, 0);
  const { outcome } = await refresh(worker.store, env);
  assert.equal(outcome.status, "updated");
  assert.equal(posthog.requests.at(-1).status, 200);
});

test(`a refresher killed at any moment, ${KILLS} times, leaves the old or the new snapshot in both stores`, async () => {
  const seen = { killed: 0, finished: 0, published: new Set() };
  for (let number = 0; number < KILLS; number += 1) {
    posthog.setDefinitions(edition(100 + number));
    const kv = number % 2 === 0;
    const child = start("refresher", REFRESHER, ["run", "--store", kv ? worker.store : fileStore], { cwd: ROOT, env });
    await Promise.race([sleep((number / KILLS) * typical * 1.5), child.exit]);
    await child.kill();
    seen[(await child.exit).includes("SIGKILL") ? "killed" : "finished"] += 1;
    const bytes = kv ? await readKv() : new Uint8Array(readFileSync(fileSnapshot));
    const definitions = load(bytes);
    assert.ok(definitions.flagKeys.length > 0);
    seen.published.add(definitions.info.digest);
    definitions.free();
    if (!kv) {
      const { code, stderr } = await refresher(["eval", fileSnapshot, "--user", JSON.stringify(ADA), "--flag", "dark-theme"]);
      assert.equal(code, 0, stderr);
    }
  }
  assert.ok(seen.killed > 0, "some refreshers were killed while they ran");
  assert.ok(seen.published.size > 1, "some got as far as publishing");
  posthog.setDefinitions(DEFINITIONS);
  for (const store of [worker.store, fileStore]) assert.equal((await refresh(store, env)).outcome.status, "updated", "nothing is left locked");
});

for (const percent of [30, 60, 90]) {
  test(`a store killed about ${percent} % into a refresh comes back with the old or the new snapshot`, async () => {
    posthog.setDefinitions(edition(200 + percent));
    const refreshing = refresher(["run", "--store", worker.store, "--retries", "0"], env);
    await sleep((typical * percent) / 100);
    await worker.kill();
    await refreshing;
    worker = await startWorker({ state: state.path });
    env = { ...env, ...worker.refresherEnv };
    const { status, body } = await worker.ask(ADA);
    assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
    assert.deepEqual(body.featureFlags, good.answers.featureFlags);
  });
}

test("without posthog the worker answers on, and a new one starts from the stored snapshot", async () => {
  await posthog.close();
  const { code } = await refresh(fileStore, env);
  assert.notEqual(code, 0);
  assert.ok(existsSync(fileSnapshot));
  assert.equal((await worker.ask(ADA)).status, 200);
  await worker.kill();
  worker = await startWorker({ state: state.path });
  const { status, body } = await worker.ask(ADA);
  assert.equal(status, 200);
  assert.deepEqual(body.featureFlags, good.answers.featureFlags);
});
