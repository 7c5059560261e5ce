/** The client in workerd: many requests at once, events by `waitUntil`, and a PostHog that is slow, fails and recovers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Miniflare } from "miniflare";
import { compiledSnapshot } from "../../js/test/compiler.mjs";

const dist = new URL("../../js/dist/", import.meta.url);
const file = (name) => readFileSync(new URL(name, dist));
const WORKER = `
import { createExposures, createFlags, remoteFallback } from "./workerd-slim.js";

const posthog = { projectKey: "phc_project", host: "https://posthog.example", retries: 0, timeoutMs: 30_000, onError() {} };
let flags;

export default {
  async fetch(request, env, ctx) {
    flags ??= createFlags({ reader: env.FLAGS, exposures: createExposures(posthog), remote: remoteFallback(posthog) });
    const user = await flags.forUser(await request.json(), { ctx });
    return Response.json([user.isEnabled("on"), user.getFeatureFlagResult("sticky").source]);
  },
};
`;
const everybody = { groups: [{ properties: [], rollout_percentage: 100 }] };
const definitions = {
  flags: [
    { key: "on", id: 1, active: true, filters: everybody },
    { key: "sticky", id: 2, active: true, ensure_experience_continuity: true, filters: everybody },
  ],
  group_type_mapping: {},
  cohorts: {},
};

const batches = [];
let posthog = async () => Response.json({});
let miniflare;
before(async () => {
  miniflare = new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.js", contents: WORKER },
      { type: "ESModule", path: "workerd-slim.js", contents: file("workerd-slim.js").toString() },
      { type: "CompiledWasm", path: "evaluator.wasm", contents: file("evaluator.wasm") },
    ],
    compatibilityDate: "2025-05-01",
    kvNamespaces: ["FLAGS"],
    outboundService: (request) => posthog(request),
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  const snapshot = compiledSnapshot({ format: 1, digest: "sha256:0", fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T10:00:00Z" }, definitions);
  await (await miniflare.getKVNamespace("FLAGS")).put("flagpost", snapshot);
});
after(() => miniflare?.dispose());

async function ask(distinctId) {
  const response = await miniflare.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify({ distinctId }) });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

async function until(condition) {
  while (!condition()) await pause(20);
}

const eventsOf = (prefix) => batches.flat().filter(({ distinct_id }) => distinct_id.startsWith(prefix));

test("while PostHog fails every request is answered; once it works again what waited arrives, each event once", { timeout: 60_000 }, async () => {
  let failed = 0;
  posthog = async () => (failed++, new Response("no", { status: 503 }));
  const first = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`early-${index}`)));
  for (const answer of first) assert.deepEqual(answer, [true, "none"]);
  await until(() => failed > 1);
  posthog = async (request) => {
    const body = await request.json();
    if (request.url.includes("/batch/")) batches.push(body.batch);
    return Response.json({ flags: { sticky: { key: "sticky", enabled: true } } });
  };
  for (let index = 0; eventsOf("early-").length < 100; index++) {
    await ask(`probe-${index}`);
    await pause(250);
  }
  const uuids = new Set(eventsOf("early-").map(({ uuid }) => uuid));
  assert.equal(uuids.size, 100);
  assert.equal(eventsOf("early-").length, 100);
});

test("hundreds of requests at once wait for nobody else's promise, and each reading arrives once", { timeout: 60_000 }, async () => {
  posthog = async (request) => {
    const body = await request.json();
    await pause(20);
    if (request.url.includes("/batch/")) batches.push(body.batch);
    return Response.json({ flags: { sticky: { key: "sticky", enabled: true } } });
  };
  const answers = await Promise.all(Array.from({ length: 400 }, (_, index) => ask(`late-${index % 200}`)));
  for (const answer of answers) assert.deepEqual(answer, [true, "remote"]);
  await until(() => eventsOf("late-").length >= 400);
  const readings = eventsOf("late-").map(({ distinct_id, properties }) => `${distinct_id} ${properties.$feature_flag} ${properties.locally_evaluated}`);
  assert.equal(readings.length, 400);
  assert.equal(new Set(readings).size, 400);
});
