/** Ten thousand requests at once in one isolate of workerd, and a store that is slow, fails, hangs and recovers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Response } from "miniflare";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { installPackage } from "../packaging/project.mjs";
import { startWorkers } from "./worker.mjs";

const MANY = 10_000;
const SOME = 2_000;
const TTL = 7200;
const NEGATIVE_TTL = 3600;

const definitions = { flags: [{ key: "flag", active: true, filters: { groups: [{ rollout_percentage: 100 }] } }] };
const snapshot = (version) => compiledSnapshot({ digest: String(version), checked_at: "2024-05-01T10:00:00Z" }, definitions);

/** The store: what it answers, how often it was asked by which reader, and how many of those still wait. */
const store = { answer: undefined, asked: {}, waiting: 0, begun: [] };
const answers = {
  snapshot: (version) => async () => new Response(snapshot(version)),
  slow: (version) => async () => {
    await sleep(300);
    return new Response(snapshot(version));
  },
  failing: async () => new Response("down", { status: 503 }),
  empty: async () => new Response(null, { status: 404 }),
};

/** An answer that comes when it is told to. */
function held(version) {
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  store.answer = () => released.then(() => new Response(snapshot(version)));
  return release;
}

async function read(request) {
  const reader = new URL(request.url).pathname.slice(1);
  if (reader === "begun") {
    await new Promise((resolve) => (store.waiting > 0 ? resolve() : store.begun.push(resolve)));
    return new Response();
  }
  store.asked[reader] = (store.asked[reader] ?? 0) + 1;
  store.waiting++;
  store.begun.splice(0).forEach((resolve) => resolve());
  try {
    return await store.answer();
  } finally {
    store.waiting--;
  }
}

let project;
let workers;
before(async () => {
  project = await installPackage();
  workers = await startWorkers(join(project.path, "node_modules", "flagpost", "dist"), read);
});
after(async () => {
  await workers?.stop();
  project?.remove();
});

const askedBy = (reader) => store.asked[reader] ?? 0;
const version = (number) => `200 version ${number} true`;

/** Waits until something is so: a read behind a request goes on when all are answered, or has not even begun. */
async function until(check) {
  while (!(await check())) await sleep(10);
}
const holds = (reader, number) => async () => (await workers.status(reader)).info?.digest === String(number);
const failed = (reader, count) => async () => (await workers.status(reader)).stats.errors === count;

test("cold, with a slow store, all are answered by one read", async () => {
  store.answer = answers.slow(1);
  assert.deepEqual(await workers.wave(MANY, "?reader=main&ctx"), { [version(1)]: MANY });
  assert.equal(askedBy("main"), 1);
});

test("within the TTL nobody asks", async () => {
  store.answer = answers.failing;
  assert.deepEqual(await workers.wave(MANY, "?reader=main&ctx"), { [version(1)]: MANY });
  assert.equal(askedBy("main"), 1);
});

test("expired, with a store that does not answer, all are answered before the one read ends", async () => {
  const release = held(2);
  await workers.pass(TTL);
  assert.deepEqual(await workers.wave(MANY, "?reader=main&ctx"), { [version(1)]: MANY });
  await until(() => store.waiting > 0);
  release();
  await until(holds("main", 2));
  assert.deepEqual(await workers.wave(MANY, "?reader=main&ctx"), { [version(2)]: MANY });
  assert.equal(askedBy("main"), 2);
});

test("expired, with a failing store, none fails and the store is asked once per retry time", async () => {
  store.answer = answers.failing;
  await workers.pass(TTL);
  for (let failure = 1; failure <= 2; failure++) {
    assert.deepEqual(await workers.wave(MANY, "?reader=main&ctx"), { [version(2)]: MANY });
    await until(failed("main", failure));
    assert.deepEqual(await workers.wave(MANY, "?reader=main&ctx"), { [version(2)]: MANY });
    assert.equal(askedBy("main"), 2 + failure);
    await workers.pass(NEGATIVE_TTL);
  }
});

test("recovered, the store's new snapshot is served after one read", async () => {
  store.answer = answers.slow(3);
  await workers.wave(1, "?reader=main&ctx");
  await until(holds("main", 3));
  assert.deepEqual(await workers.wave(MANY, "?reader=main&ctx"), { [version(3)]: MANY });
  assert.equal(askedBy("main"), 5);
  const { hits, misses, refreshes, errors } = (await workers.status("main")).stats;
  assert.deepEqual({ hits, misses, refreshes, errors }, { hits: 8 * MANY + 1, misses: MANY, refreshes: 3, errors: 2 });
});

test("without contexts, one request waits for the read when it is expired, and all are answered", async () => {
  store.answer = answers.slow(1);
  assert.deepEqual(await workers.wave(SOME, "?reader=plain"), { [version(1)]: SOME });
  assert.equal(askedBy("plain"), 1);
  await workers.pass(TTL);
  const release = held(2);
  const wave = workers.wave(SOME, "?reader=plain");
  await until(async () => (await workers.status("plain")).stats.expiredHits === SOME - 1);
  release();
  assert.deepEqual(await wave, { [version(1)]: SOME - 1, [version(2)]: 1 });
  assert.equal(askedBy("plain"), 2);
  await workers.pass(TTL);
  store.answer = answers.failing;
  assert.deepEqual(await workers.wave(SOME, "?reader=plain"), { [version(2)]: SOME });
  assert.equal(askedBy("plain"), 3);
});

for (const [what, answer, code] of [["fails", "failing", "source_failed"], ["is empty", "empty", "no_snapshot"]]) {
  test(`cold, with a store that ${what}, all are told so by one read, and served once it recovers`, async () => {
    store.answer = answers[answer];
    assert.deepEqual(await workers.wave(SOME, `?reader=${answer}`), { [`500 ${code}`]: SOME });
    assert.equal(askedBy(answer), 1);
    store.answer = answers.snapshot(1);
    await workers.pass(NEGATIVE_TTL);
    assert.deepEqual(await workers.wave(SOME, `?reader=${answer}`), { [version(1)]: SOME });
    assert.equal(askedBy(answer), 2);
  });
}

// Waiting for the cancelled request's promise would never end.
test("cold, when the request that reads is cancelled, one of those that wait reads for all", { timeout: 120_000 }, async () => {
  held(1);
  assert.deepEqual(await workers.abandon("?reader=abandoned"), { abandoned: 1 });
  assert.equal(askedBy("abandoned"), 1);
  store.answer = answers.slow(2);
  assert.deepEqual(await workers.wave(SOME, "?reader=abandoned"), { [version(2)]: SOME });
  assert.equal(askedBy("abandoned"), 2);
});

test("cold, a request that is cancelled reads to the end where its context lets it, for those that wait", async () => {
  const release = held(1);
  assert.deepEqual(await workers.abandon("?reader=kept&ctx"), { abandoned: 1 });
  const wave = workers.wave(SOME, "?reader=kept&ctx");
  release();
  assert.deepEqual(await wave, { [version(1)]: SOME });
  assert.equal(askedBy("kept"), 1);
});

test("workerd saw nobody use what belongs to a different request", () => {
  assert.doesNotMatch(workers.printed(), /different request|uncaught|hang/i);
});
