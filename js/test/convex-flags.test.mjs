/** Flags in Convex functions, under convex-test. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { convexTest } from "convex-test";
import { actionGeneric, defineSchema, makeFunctionReference, mutationGeneric, queryGeneric } from "convex/server";
import { createReader, evaluate } from "flagpost";
import * as flagpost from "flagpost/convex";
import { compiledSnapshot, sectionEnd } from "./compiler.mjs";
import { snapshot } from "./snapshot.mjs";

const { Flagpost, convexSource, flagpostTables } = flagpost;
const CHUNK = 960 * 1024;
const header = { format: 1, etag: '"e"', digest: `sha256:${"0".repeat(64)}`, fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T10:00:00Z", generator: "test" };
const group = (...properties) => ({ properties, rollout_percentage: 100 });
const flag = (key, filters, more) => ({ key, active: true, filters, ...more });
const flags = [
  flag("on", { groups: [group()] }),
  flag("off", { groups: [] }),
  flag("coloured", {
    groups: [group()],
    multivariate: { variants: [{ key: "blue", rollout_percentage: 100 }] },
    payloads: { blue: '{"hex":"#00f"}' },
  }),
  flag("pros", { groups: [group({ key: "plan", value: "pro", operator: "exact" })], payloads: { true: "0" } }),
  flag("sticky", { groups: [group()] }, { ensure_experience_continuity: true }),
];
const recent = flag("recent", { groups: [group({ key: "joined", value: "-30d", operator: "is_date_after" })] });
const bytesOf = (definitions, more) => compiledSnapshot({ ...header, ...more }, definitions).buffer;
const stored = bytesOf({ flags });
const pro = { distinctId: "u", personProperties: { plan: "pro" } };

/** A deployment whose `app` module has these functions; `set` puts a snapshot into place. */
function deployment(functions = {}, limits = true) {
  const modules = { flagpost, app: functions };
  const files = Object.entries({ "_generated/api": {}, ...modules }).map(([name, module]) => [`./${name}.js`, async () => module]);
  const convex = convexTest({ schema: defineSchema(flagpostTables), modules: Object.fromEntries(files), transactionLimits: limits });
  const call = (kind) => (name, args = {}) => convex[kind](makeFunctionReference(name), args);
  return {
    convex,
    query: call("query"),
    mutation: call("mutation"),
    action: call("action"),
    set: (bytes, more) => call("mutation")("flagpost:setFlagDefinitions", { snapshot: bytes, ...more }),
    rows: (table) => convex.run(({ db }) => db.query(table).collect()),
  };
}

/** Functions that hand their context to `handler` and return what it gives. */
function functionsOf(handler) {
  const definition = { args: {}, handler };
  return { query: queryGeneric(definition), mutation: mutationGeneric(definition), action: actionGeneric(definition) };
}

/** What `handler` gives in a query, a mutation and an action of a deployment that holds `bytes`. */
async function inEach(handler, bytes = stored) {
  const it = deployment(functionsOf(handler));
  if (bytes !== null) await it.set(bytes);
  const answers = [];
  for (const kind of ["query", "mutation", "action"]) answers.push(await it[kind](`app:${kind}`));
  return answers;
}

const silent = { onError: () => {} };

test("the five questions are answered in queries, mutations and actions", async () => {
  const client = new Flagpost();
  const expected = {
    value: "blue",
    enabled: true,
    payload: { hex: "#00f" },
    none: null,
    result: { key: "coloured", enabled: true, variant: "blue", payload: { hex: "#00f" } },
    off: { key: "off", enabled: false, variant: null, payload: null },
    all: { on: true, off: false, coloured: "blue", pros: true },
    some: { on: true },
    both: { featureFlags: { coloured: "blue", pros: true }, featureFlagPayloads: { coloured: { hex: "#00f" } } },
  };
  const answers = await inEach(async (ctx) => ({
    value: await client.getFeatureFlag(ctx, { key: "coloured", ...pro }),
    enabled: await client.isFeatureEnabled(ctx, { key: "coloured", ...pro }),
    payload: await client.getFeatureFlagPayload(ctx, { key: "coloured", ...pro }),
    none: await client.getFeatureFlagPayload(ctx, { key: "on", ...pro }),
    result: await client.getFeatureFlagResult(ctx, { key: "coloured", ...pro }),
    off: await client.getFeatureFlagResult(ctx, { key: "off", ...pro }),
    all: await client.getAllFlags(ctx, pro),
    some: await client.getAllFlags(ctx, { ...pro, flagKeys: ["on", "no-such"] }),
    both: await client.getAllFlagsAndPayloads(ctx, { ...pro, flagKeys: ["coloured", "pros"] }),
  }));
  for (const answer of answers) assert.deepEqual(answer, expected);
});

test("what cannot be decided is undefined, and forUser says why", async () => {
  const client = new Flagpost();
  const seen = [];
  await inEach(async (ctx) => {
    const user = { distinctId: "u" };
    const plain = await client.forUser(ctx, user);
    seen.push([
      await client.getFeatureFlag(ctx, { key: "sticky", ...user }),
      await client.isFeatureEnabled(ctx, { key: "pros", ...user }),
      await client.getFeatureFlagPayload(ctx, { key: "sticky", ...user }),
      await client.getFeatureFlagPayload(ctx, { key: "no-such", ...user }),
      await client.getFeatureFlagResult(ctx, { key: "no-such", ...user }),
      ...["sticky", "pros", "no-such", "on"].map((key) => plain.getFeatureFlagResult(key).reason),
      plain.isEnabled("sticky", true),
      plain.getFeatureFlag("sticky", "control"),
      plain.snapshot.version,
      plain.snapshot.ageSeconds > 0,
    ]);
    return null;
  });
  const reasons = ["experience_continuity", "missing_context", "flag_not_found", null];
  const expected = [undefined, undefined, undefined, null, undefined, ...reasons, true, "control", header.digest, true];
  assert.deepEqual(seen, [expected, expected, expected]);
});

test("all questions of a call are answered by one read of the snapshot, the next call reads again", async () => {
  const client = new Flagpost();
  const other = bytesOf({ flags: [flag("on", { groups: [] })] });
  let reads = 0;
  const it = deployment({
    action: actionGeneric({
      args: {},
      handler: async (ctx) => {
        const runQuery = (...parts) => (reads++, ctx.runQuery(...parts));
        const own = { ...ctx, runQuery };
        const ask = () => client.getFeatureFlag(own, { key: "on", distinctId: "u" });
        const first = await Promise.all([ask(), ask(), client.getAllFlags(own, pro).then(({ on }) => on)]);
        await ctx.runMutation(makeFunctionReference("flagpost:setFlagDefinitions"), { snapshot: other });
        return [...first, await ask()];
      },
    }),
  });
  await it.set(stored);
  assert.deepEqual(await it.action("app:action"), [true, true, true, true]);
  assert.equal(reads, 1);
  assert.equal((await it.action("app:action"))[0], false);
});

test("a query answers anew when the snapshot was replaced, whoever replaced it", async () => {
  const client = new Flagpost();
  const it = deployment(functionsOf((ctx) => client.getFeatureFlag(ctx, { key: "on", distinctId: "u" })));
  const ask = () => it.query("app:query");
  await it.set(stored);
  assert.equal(await ask(), true);
  const other = new Uint8Array(bytesOf({ flags: [flag("on", { groups: [] })] }));
  // As the refresher does it, in two parts, of which the first alone changes nothing.
  await it.mutation("flagpost:stage", { version: "v2", index: 0, bytes: other.slice(0, 100).buffer });
  await it.mutation("flagpost:stage", { version: "v2", index: 1, bytes: other.slice(100).buffer });
  assert.equal(await ask(), true);
  await it.mutation("flagpost:commit", { key: "flagpost", version: "v2", size: other.length });
  assert.equal(await ask(), false);
  await it.set(stored, { name: "elsewhere" });
  assert.equal(await ask(), false);
});

test("evaluating reads the ruleset and leaves the definitions where they are", async () => {
  const client = new Flagpost();
  const metered = async (ctx) => {
    const value = await client.getFeatureFlag(ctx, { key: "on", distinctId: "u" });
    const { bytesRead, documentsRead } = await ctx.meta.getTransactionMetrics();
    return { value, bytesRead: bytesRead.used, documentsRead: documentsRead.used };
  };
  const many = Array.from({ length: 3000 }, (_, at) => flag(`many-${at}`, { groups: [group({ key: "plan", value: `p${at}`, operator: "exact" })] }));
  for (const [all, chunk, documents] of [
    [flags.map((one) => ({ ...one, name: "n".repeat(100_000) })), CHUNK, 2],
    [flags.map((one) => ({ ...one, name: "n".repeat(400_000) })), CHUNK, 2],
    [[...flags, ...many.map((one) => ({ ...one, name: "n".repeat(500) }))], 100_000, undefined],
  ]) {
    const it = deployment({ query: queryGeneric({ args: {}, handler: metered }) });
    const bytes = new Uint8Array(bytesOf({ flags: all }));
    const front = sectionEnd(bytes, "CODE");
    const commit = { key: "flagpost", version: "v", size: bytes.length };
    if (bytes.length <= chunk) commit.bytes = bytes.buffer;
    else {
      for (let index = 0; index * chunk < bytes.length; index++) {
        const part = bytes.slice(index * chunk, (index + 1) * chunk).buffer;
        for (const _ of ["once", "and again"]) assert.equal(await it.mutation("flagpost:stage", { version: "v", index, bytes: part }), true);
      }
    }
    assert.equal((await it.mutation("flagpost:commit", commit)).status, "committed");
    const { value, bytesRead, documentsRead } = await it.query("app:query");
    assert.equal(value, true);
    assert.equal(documentsRead, documents ?? 1 + Math.ceil(front / chunk));
    assert.ok(bytesRead > front && bytesRead < front + 200 + 200 * documentsRead, `${bytesRead} bytes read for a ruleset that ends at ${front} of ${bytes.length}`);
    assert.ok(front < bytes.length * 0.6, `${front} of ${bytes.length}`);
    const { bytes: whole } = await it.convex.run((ctx) => flagpost.readSnapshot(ctx));
    assert.equal(Buffer.compare(Buffer.from(whole), Buffer.from(bytes)), 0);
  }
});

test("the clock is asked only where a flag has a relative date", async () => {
  let asked = 0;
  const client = new Flagpost({ now: () => (asked++, new Date("2024-06-10T00:00:00Z")) });
  const user = { distinctId: "u", personProperties: { joined: "2024-06-01T00:00:00Z", plan: "pro" } };
  const it = deployment();
  await it.set(stored);
  const value = await it.convex.run(async (ctx) => {
    const { now } = Date;
    Date.now = () => assert.fail("the clock is read");
    try {
      await client.getAllFlags(ctx, user);
      return (await client.forUser(ctx, user)).getFeatureFlagResult("on").value;
    } finally {
      Date.now = now;
    }
  });
  assert.deepEqual([value, asked], [true, 0]);
  const values = await inEach((ctx) => client.getFeatureFlag(ctx, { key: "recent", ...user }), bytesOf({ flags: [...flags, recent] }));
  assert.deepEqual([values, asked], [[true, true, true], 3]);
  const late = new Flagpost({ now: () => new Date("2024-08-10T00:00:00Z") });
  assert.deepEqual(await inEach((ctx) => late.getFeatureFlag(ctx, { key: "recent", ...user }), bytesOf({ flags: [recent] })), [false, false, false]);
});

test("without a snapshot, and with one that cannot be used, flags have no value and onError is told once a call", async () => {
  // Of a snapshot that no test has loaded: a good one is known by its length and checksum.
  const damaged = new Uint8Array(bytesOf({ flags }, { etag: "damaged" }));
  damaged[sectionEnd(damaged, "CODE") - 20] ^= 1;
  const plain = new TextEncoder().encode(JSON.stringify({ flags })).buffer;
  const old = snapshot(header, { flags }).buffer;
  for (const [bytes, code, message] of [
    [null, "no_snapshot", /^no snapshot at the Convex item "flagpost": write one with "refresher run --store convex:"$/],
    [damaged.buffer, "damaged_snapshot", /write it again with `refresher run`/],
    [plain, "needs_compiler", /these are definitions, not a snapshot/],
    [old, "needs_compiler", /write a snapshot with a current refresher/],
  ]) {
    const errors = [];
    const client = new Flagpost({ onError: (error) => errors.push(error) });
    const seen = [];
    const it = deployment(
      functionsOf(async (ctx) => {
        const user = await client.forUser(ctx, pro);
        seen.push([
          await client.getFeatureFlag(ctx, { key: "on", ...pro }),
          await client.isFeatureEnabled(ctx, { key: "on", ...pro }),
          await client.getFeatureFlagPayload(ctx, { key: "on", ...pro }),
          await client.getFeatureFlagResult(ctx, { key: "on", ...pro }),
          await client.getAllFlags(ctx, pro),
          await client.getAllFlagsAndPayloads(ctx, pro),
          user.getFeatureFlagResult("on").reason,
          user.snapshot,
        ]);
        return null;
      }),
    );
    if (bytes !== null) await it.mutation("flagpost:commit", { key: "flagpost", version: "v", size: bytes.byteLength, bytes });
    for (const kind of ["query", "mutation", "action"]) await it[kind](`app:${kind}`);
    const none = [undefined, undefined, undefined, undefined, {}, { featureFlags: {}, featureFlagPayloads: {} }, "no_snapshot", null];
    assert.deepEqual(seen, [none, none, none], code);
    assert.deepEqual(errors.map((error) => error.code), [code, code, code]);
    for (const error of errors) assert.match(error.message, message);
  }
});

test("a strict client fails where there is no snapshot", async () => {
  const client = new Flagpost({ strict: true });
  const it = deployment(functionsOf((ctx) => client.getAllFlags(ctx, pro)));
  for (const kind of ["query", "mutation", "action"]) await assert.rejects(it[kind](`app:${kind}`), /no snapshot at the Convex item/);
});

test("identify goes before distinctId, and without either the error says what to pass", async () => {
  const shares = bytesOf({ flags: [flag("mine", { groups: [group({ key: "distinct_id", value: "from-auth", operator: "exact" })] })] });
  const asked = async (options, args) => (await inEach((ctx) => new Flagpost(options).isFeatureEnabled(ctx, { key: "mine", ...args }), shares))[0];
  assert.equal(await asked({ identify: async () => ({ distinctId: "from-auth" }) }, { distinctId: "other" }), true);
  assert.equal(await asked({ identify: async () => null }, { distinctId: "from-auth" }), true);
  assert.equal(await asked({}, { distinctId: "other" }), false);
  for (const [options, args] of [[{}, {}], [{}, { distinctId: "" }], [{ identify: async () => null }, {}]]) {
    await assert.rejects(asked(options, args), /pass distinctId, or an `identify`/);
  }
});

test("a call that this package would answer otherwise is refused", async () => {
  const it = deployment(functionsOf((ctx) => new Flagpost().getFeatureFlagPayload(ctx, { key: "on", matchValue: true, ...pro })));
  await it.set(stored);
  await assert.rejects(it.query("app:query"), /matchValue is not supported: getFeatureFlagResult/);
});

test("an action learns that convex/flagpost.ts lacks the query it needs", async () => {
  const { snapshot: _, ...rest } = flagpost;
  const modules = { "./_generated/api.js": async () => ({}), "./flagpost.js": async () => rest };
  const convex = convexTest({ schema: defineSchema(flagpostTables), modules });
  await assert.rejects(
    convex.action((ctx) => new Flagpost(silent).getAllFlags(ctx, pro)),
    { code: "source_failed", message: /export `snapshot` of flagpost\/convex from convex\/flagpost\.ts/ },
  );
});

test("several snapshots, and evaluation contexts", async () => {
  const named = bytesOf({ flags: [flag("named", { groups: [group()] })] });
  const contexts = bytesOf({ flags: [flag("web", { groups: [group()] }, { evaluation_contexts: ["web"] }), flag("all", { groups: [group()] })] });
  const it = deployment();
  await it.set(named, { name: "other" });
  await it.set(contexts);
  const all = (options) => it.convex.run((ctx) => new Flagpost(options).getAllFlags(ctx, pro));
  assert.deepEqual(await all({ name: "other" }), { named: true });
  assert.deepEqual(await all({}), { web: true, all: true });
  assert.deepEqual(await all({ evaluationContexts: ["server"] }), { all: true });
});

test("a source reads in queries and actions, and an unchanged snapshot is known", async () => {
  const it = deployment(functionsOf(async (ctx) => {
    const source = convexSource(ctx);
    const { version } = await source.read();
    const reader = createReader({ source });
    return [evaluate(await reader.current(), pro).featureFlags.coloured, await source.read({ version }), await convexSource(ctx, "none").read()];
  }));
  await it.set(stored);
  for (const kind of ["query", "mutation", "action"]) assert.deepEqual(await it[kind](`app:${kind}`), ["blue", "unchanged", null]);
  await it.convex.run(async (ctx) => {
    await assert.rejects(createReader({ source: convexSource(ctx, "none") }).current(), {
      code: "no_snapshot",
      message: 'no snapshot at the Convex item "none": write one with "refresher run --store convex:#none"',
    });
  });
});

test("CommonJS has the same, with the evaluator beside it", async () => {
  const cjs = createRequire(import.meta.url)("flagpost/convex");
  const it = deployment();
  await it.set(stored);
  assert.equal(await it.convex.run((ctx) => new cjs.Flagpost().getFeatureFlag(ctx, { key: "coloured", ...pro })), "blue");
});
