/**
 * The example's Convex project from the refresher to an answer: its files bundled as Convex's CLI
 * bundles them, run by convex-test behind Convex's HTTP API, and posthog-node asked the same.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bundleConvex, importConvex } from "../support/convex-bundler.mjs";
import { startConvex } from "../support/local-convex.mjs";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { openReference } from "../support/reference.mjs";
import { REFRESHER, refresh, upstreamEnv } from "../support/refresher.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { ROOT, temporaryFolder } from "../support/worker.mjs";

const folder = temporaryFolder("e2e-convex");
let project;
let posthog;

before(async () => {
  posthog = await startPostHog();
  project = await importConvex(await bundleConvex(join(ROOT, "examples", "convex", "convex")), folder.path);
});

after(async () => {
  await posthog?.close();
  folder.remove();
});

/** Runs with a deployment of the example, and the environment in which the refresher writes to it. */
async function deployed(options, use) {
  const convex = await startConvex({ ...project, ...options });
  try {
    await use(convex, { ...upstreamEnv(posthog), CONVEX_URL: convex.url, CONVEX_DEPLOY_KEY: convex.key });
  } finally {
    await convex.stop();
  }
}

/** Calls a function as any client may: without a key. */
async function call(convex, kind, path, args) {
  const response = await fetch(`${convex.url}/api/${kind}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ path, args, format: "json" }),
  });
  return response.json();
}

/** What the example's query says of one flag. */
const ask = (convex, key, user) => call(convex, "query", "flags:explain", { key, user: JSON.stringify(user) });

/** An answer of Flagpost's `evaluateFlag` in the words of that query. */
function explained(answer) {
  if (answer === undefined) return { reason: "flag_not_found" };
  return "unresolved" in answer ? { reason: answer.unresolved } : { ...answer, reason: null };
}

test("the example's query answers as posthog-node does, from what the refresher wrote", async () => {
  await deployed({}, async (convex, env) => {
    const before = await ask(convex, "checkout-redesign", { distinctId: "user-1" });
    assert.deepEqual(before.value, { reason: "no_snapshot" });

    assert.equal((await refresh("convex:", env)).code, 0);
    const flags = JSON.parse(readFileSync(FIXTURE_DEFINITIONS, "utf8")).flags.map(({ key }) => key);
    const reference = openReference({ host: posthog.url, projectKey: posthog.projectKey, personalKey: posthog.personalKey });
    const seen = new Set();
    try {
      for (const [at, flag] of flags.entries()) {
        const user = FIXTURE_USERS[at % FIXTURE_USERS.length];
        const expected = explained(await reference.evaluateFlag(flag, user));
        const { status, value } = await ask(convex, flag, user);
        assert.equal(status, "success");
        assert.deepEqual(value, expected, `${flag} for ${user.distinctId}`);
        seen.add(String(expected.value ?? expected.reason));
      }
    } finally {
      await reference.close();
    }
    assert.ok(flags.length > 50 && seen.size >= 6, `many flags with many answers, not just ${[...seen]}`);
    assert.equal((await ask(convex, "no-such-flag", { distinctId: "u" })).value.reason, "flag_not_found");

    const calls = convex.calls.length;
    assert.equal((await refresh("convex:", env)).code, 0);
    assert.deepEqual([...new Set(convex.calls.slice(calls))], ["flagpost:read"], "what did not change is not written");
    assert.equal((await refresh(`convex:${convex.url}#web`, env)).code, 0);
    const keys = await convex.run(async ({ db }) => (await db.query("flagpostItems").collect()).map(({ key }) => key));
    assert.ok(keys.includes("flagpost") && keys.includes("web"), String(keys));
  });
});

test("the example's functions follow what the refresher writes, in queries, mutations, actions and Node's runtime", async () => {
  const user = { distinctId: "user-1" };
  const plan = { ...user, plan: "pro" };
  await deployed({}, async (convex, env) => {
    const value = async (...parts) => {
      const answer = await call(convex, ...parts);
      assert.equal(answer.status, "success", answer.errorMessage);
      return answer.value;
    };
    const all = async () => ({
      enabled: await value("query", "flags:isFeatureEnabled", { key: "checkout-redesign", ...user }),
      variant: await value("query", "flags:getFeatureFlag", { key: "pricing-experiment", ...user }),
      payload: await value("query", "flags:getFeatureFlagPayload", { key: "pricing-experiment", ...user }),
      flags: await value("query", "flags:getAllFlags", user),
      placed: await value("mutation", "orders:place", { item: "a lamp", ...user }),
      quote: await value("action", "orders:quote", plan),
      features: await value("action", "reports:features", user),
    });
    const nothing = { enabled: null, variant: null, payload: null, flags: {}, placed: false };
    assert.deepEqual(await all(), { ...nothing, quote: { experiment: "control", gift: false }, features: [] });

    posthog.setDefinitions(readFileSync(FIXTURE_DEFINITIONS));
    for (const change of [false, true]) {
      if (change) posthog.setDefinitions(switchedOff());
      assert.equal((await refresh("convex:", env)).code, 0);
      const reference = openReference({ host: posthog.url, projectKey: posthog.projectKey, personalKey: posthog.personalKey });
      try {
        const [{ featureFlags, featureFlagPayloads }, pro] = await Promise.all([user, { ...user, personProperties: { plan: "pro" } }].map((one) => reference.evaluate(one)));
        const on = Object.keys(featureFlags).filter((key) => featureFlags[key] !== false);
        const seen = await all();
        assert.deepEqual(seen.flags, featureFlags);
        assert.deepEqual([seen.enabled, seen.placed], [featureFlags["checkout-redesign"], featureFlags["checkout-redesign"]]);
        assert.deepEqual([seen.variant, seen.payload], [featureFlags["pricing-experiment"], featureFlagPayloads["pricing-experiment"] ?? null]);
        assert.equal(seen.quote.experiment, pro.featureFlags["pricing-experiment"]);
        assert.deepEqual(seen.quote.coupon, pro.featureFlagPayloads["first-order-coupon"]);
        assert.equal(seen.quote.gift, (pro.featureFlags["gift-cards"] ?? false) !== false);
        assert.deepEqual(seen.features.map(({ key }) => key).sort(), on.sort());
        if (change) assert.equal(seen.variant, false);
        else assert.equal(typeof seen.variant, "string");
      } finally {
        await reference.close();
      }
    }
    const orders = await convex.run(({ db }) => db.query("orders").collect());
    assert.equal(orders.length, 3);
  });
});

/** The fixture's definitions, newer and with an experiment switched off. */
function switchedOff() {
  const definitions = JSON.parse(readFileSync(FIXTURE_DEFINITIONS, "utf8"));
  const flag = definitions.flags.find(({ key }) => key === "pricing-experiment");
  Object.assign(flag, { active: false, version: flag.version + 1 });
  return JSON.stringify(definitions);
}

/** The fixture's definitions with so many more flags, `filler-0` and so on, that no document holds them. */
function large() {
  const { flags, ...rest } = JSON.parse(readFileSync(FIXTURE_DEFINITIONS, "utf8"));
  const many = Array.from({ length: 2000 }, (_, at) => ({ ...flags[0], id: 100_000 + at, key: `filler-${at}`, name: "x".repeat(400) }));
  const definitions = JSON.stringify({ ...rest, flags: [...flags, ...many] });
  assert.ok(definitions.length > 1 << 20, "more than one document");
  return definitions;
}

test("answers that get lost lose nothing and leave nothing behind", async () => {
  const lost = new Map();
  const lose = (path) => path.startsWith("flagpost:") && lost.set(path, (lost.get(path) ?? 0) + 1).get(path) % 2 === 1;
  await deployed({ lose }, async (convex, env) => {
    posthog.setDefinitions(large());
    assert.equal((await refresh("convex:", env, "--retries", "3")).code, 0);
    for (const path of ["flagpost:read", "flagpost:stage", "flagpost:commit"]) assert.ok(lost.get(path) >= 2, `${path} was asked again`);

    assert.equal((await ask(convex, "filler-1999", { distinctId: "user-1" })).value.reason, null);
    const [items, chunks, uploads] = await convex.run(({ db }) =>
      Promise.all(["flagpostItems", "flagpostChunks", "flagpostUploads"].map((table) => db.query(table).collect())),
    );
    assert.deepEqual(uploads, []);
    const current = items.find(({ key }) => key === "flagpost");
    const own = chunks.filter(({ version }) => version === current.version);
    assert.equal(own.reduce((sum, { bytes }) => sum + bytes.byteLength, 0), current.size);
    assert.ok(own.length >= 2);
    assert.equal(chunks.length, items.reduce((sum, item) => sum + item.chunks, 0));
  });
});

test("a refresher that is killed leaves the old snapshot or the new one, and the next one goes on", async () => {
  for (const [killedAfter, isNew] of [["flagpost:stage", false], ["flagpost:commit", true]]) {
    let child;
    const lose = (path) => path === killedAfter && child?.exitCode === null && child.kill("SIGKILL");
    await deployed({ lose }, async (convex, env) => {
      posthog.setDefinitions(readFileSync(FIXTURE_DEFINITIONS));
      assert.equal((await refresh("convex:", env)).code, 0);
      posthog.setDefinitions(large());
      child = spawn(REFRESHER, ["run", "--store", "convex:", "--history", "0"], { env: { ...process.env, ...env }, stdio: "ignore" });
      const [, signal] = await once(child, "close");
      assert.equal(signal, "SIGKILL", `killed after ${killedAfter}`);

      const asked = async (flag) => (await ask(convex, flag, { distinctId: "user-1" })).value.reason;
      assert.equal(await asked("checkout-redesign"), null);
      assert.equal((await asked("filler-1999")) === null, isNew, `the new snapshot after ${killedAfter}`);
      assert.equal((await refresh("convex:", env)).code, 0);
      assert.equal(await asked("filler-1999"), null);
    });
  }
});

test("somebody with another deployment's key learns what to check, and writes nothing", async () => {
  await deployed({}, async (convex, env) => {
    const { code, stderr } = await refresh("convex:", { ...env, CONVEX_DEPLOY_KEY: "prod:other-otter-456|c2VjcmV0" });
    assert.equal(code, 9, stderr);
    assert.match(stderr, /403.*check CONVEX_DEPLOY_KEY/);
    assert.deepEqual(convex.calls, []);
  });
  await deployed({ modules: {} }, async (convex, env) => {
    const { code, stderr } = await refresh("convex:", env);
    assert.equal(code, 9, stderr);
    assert.match(stderr, /add convex\/flagpost\.ts and its tables \(see examples\/convex\) and run `npx convex deploy`/);
  });
});
