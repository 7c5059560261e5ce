/** The refresher and a Worker's cron trigger take turns at one Workers KV: each takes what the other wrote for its own. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { definitions, KEYS, opened, startStage } from "../policy/table.mjs";
import { startRefreshingWorker } from "../policy/worker.mjs";
import { FIXTURE_DEFINITIONS } from "../support/posthog.mjs";
import { refresh, refresher, upstreamEnv } from "../support/refresher.mjs";
import { LOCAL_API_TOKEN } from "../support/worker.mjs";

const FIXTURE = readFileSync(FIXTURE_DEFINITIONS, "utf8");
const STORE = "kv:flagpost-test-namespace";
let stage;
let worker;
let kv;
before(async () => {
  stage = await startStage();
  worker = await startRefreshingWorker({ unsafeLocalExplorer: true });
  const base = new URL("/cdn-cgi/explorer/api", await worker.miniflare.ready).href;
  kv = { CLOUDFLARE_API_BASE_URL: base, CLOUDFLARE_API_TOKEN: LOCAL_API_TOKEN };
});
after(async () => {
  await worker?.stop();
  await stage?.stop();
});

const answer = (body, etag) => ({ status: 200, headers: { ETag: etag }, body });
const env = (host) => ({ ...upstreamEnv({ url: host, projectKey: KEYS.projectKey, personalKey: KEYS.personalApiKey }), ...kv });
const ours = async (host) => (await refresh(STORE, env(host), "--heartbeat", "0")).outcome;
const theirs = async (host, policy = { heartbeat: 0 }) => (await worker.run({ host, store: "kv", policy })).report;

test("each confirms by its etag what the other wrote, and writes nothing", async () => {
  const { host, conditions } = stage.at(answer(FIXTURE, '"one"'));
  for (const [first, second] of [[ours, theirs], [theirs, ours]]) {
    await worker.clear();
    stage.tell(host, answer(FIXTURE, '"one"'));
    assert.equal((await first(host)).status, "updated");
    const stored = await worker.stored("kv");
    conditions.length = 0;
    stage.tell(host, { status: 304 });
    const { status, message, attempts } = await second(host);
    assert.deepEqual([status, attempts], ["unchanged", 1], message);
    assert.deepEqual(conditions, ['"one"']);
    assert.deepEqual(await worker.stored("kv"), stored);
    // The same definitions, sent whole.
    stage.tell(host, answer(FIXTURE, '"one"'));
    assert.equal((await second(host)).status, "unchanged");
    assert.deepEqual(await worker.stored("kv"), stored);
  }
});

test("their snapshots differ in nothing but the times and who wrote them", async () => {
  const { host } = stage.at(answer(FIXTURE, '"one"'));
  const made = [];
  for (const write of [ours, theirs]) {
    await worker.clear();
    await write(host);
    made.push(opened(await worker.stored("kv")));
  }
  const [one, two] = made;
  assert.deepEqual([...one.sections.keys()], ["HEAD", "CODE", "DEFS"]);
  assert.deepEqual([...two.sections.keys()], ["HEAD", "CODE", "DEFS"]);
  assert.deepEqual(two.definitions, one.definitions);
  assert.deepEqual(Object.keys(two.header), Object.keys(one.header));
  const { fetched_at, checked_at } = one.header;
  assert.deepEqual({ ...two.header, fetched_at, checked_at, generator: one.header.generator }, one.header);
  assert.deepEqual([one.header.generator, two.header.generator], ["flagpost-refresher/0.1.0", "flagpost/0.1.0"]);
  // The code ends with a checksum of all before it, the header included.
  const code = ({ sections }) => sections.get("CODE").subarray(0, -8);
  assert.deepEqual(code(two), code(one));
});

test("they write the same header anew when an etag is renamed", async () => {
  const { host } = stage.at(answer(FIXTURE, '"one"'));
  await worker.clear();
  await ours(host);
  const before = opened(await worker.stored("kv"));
  stage.tell(host, { status: 304, headers: { ETag: '"two"' } });
  const made = [];
  for (const renew of [theirs, ours]) {
    const { message } = await renew(host);
    assert.match(message, /checked-at renewed/);
    made.push(opened(await worker.stored("kv")));
    stage.tell(host, { status: 304, headers: { ETag: '"three"' } });
  }
  assert.deepEqual(made.map(({ header }) => header.etag), ['"two"', '"three"']);
  assert.deepEqual(Object.keys(made[0].header), Object.keys(made[1].header));
  for (const { sections } of made) assert.deepEqual(sections.get("CODE").subarray(0, -8), before.sections.get("CODE").subarray(0, -8));
});

test("a Worker leaves alone what was rolled back, and the refresher lists what the Worker published", async () => {
  const { host } = stage.at(answer(definitions(3), '"three"'));
  await worker.clear();
  assert.equal((await ours(host)).status, "updated");
  stage.tell(host, answer(definitions(4), '"four"'));
  assert.equal((await theirs(host)).status, "updated");
  stage.tell(host, answer(definitions(5), '"five"'));
  assert.equal((await ours(host)).status, "updated");
  const { stdout } = await refresher(["history", "--store", STORE, "--json"], env(host));
  const [{ versions }] = JSON.parse(stdout).stores;
  assert.deepEqual(versions.map(({ flags }) => flags), [5, 4, 3]);

  const back = await refresher(["rollback", "--store", STORE], env(host));
  assert.equal(back.code, 0, back.stderr);
  assert.equal(opened(await worker.stored("kv")).definitions, definitions(4));
  const pinned = await theirs(host);
  assert.deepEqual([pinned.status, pinned.reason, pinned.attempts], ["skipped", "pinned", 0], pinned.message);
  assert.equal(opened(await worker.stored("kv")).definitions, definitions(4));
});
