import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { mock, test } from "node:test";
import { createFlags, createReader, FlagpostError, load } from "flagpost";
import { compiledSnapshot } from "./compiler.mjs";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";
import { reference } from "./posthog.mjs";

const variants = (...keys) => ({ multivariate: { variants: keys.map((key) => ({ key, rollout_percentage: 100 / keys.length })) } });
const sample = definitions(
  flag("on", [], { payloads: { true: '{"size":3}' } }),
  { ...flag("off"), active: false },
  flag("pros", [filter("plan", "exact", "pro")]),
  flag("coloured", [], { ...variants("blue", "red"), payloads: { blue: '"#00f"', red: "0" } }),
  flag("zero", [], { payloads: { true: "0" } }),
  flag("nothing", [], { payloads: { true: "null" } }),
  flag("text", [], { payloads: { true: "no json" } }),
  flag("unnamed", [], variants("")),
  flag("fresh", [filter("joined", "is_date_after", "-7d")]),
  flag("company", [{ ...filter("tier", "exact", "gold"), type: "group" }], { aggregation_group_type_index: 0 }),
  { ...flag("sticky"), ensure_experience_continuity: true },
  flag("static", [{ key: "id", type: "cohort", value: 99 }]),
);
const user = { distinctId: "user-1", personProperties: { plan: "pro" }, groups: { company: "acme" }, groupProperties: { company: { tier: "gold" } } };
const header = { format: 1, digest: `sha256:${"0".repeat(64)}`, fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T11:00:00Z" };

/** What a client was told of failures. */
function collected() {
  const errors = [];
  return { errors, onError: (error) => errors.push(error) };
}
const failing = { current: async () => { throw new FlagpostError("no_snapshot", "no snapshot at the test"); } };

test("values, payloads and reasons are those of posthog-node's evaluateFlags", async (t) => {
  const client = reference(sample, { sendFeatureFlagEvent: false });
  t.after(() => client.shutdown());
  t.mock.method(console, "warn", () => {});
  const flags = createFlags({ reader: load(sample) });
  const users = [
    user,
    { distinctId: "user-2" },
    ...Array.from({ length: 20 }, (_, index) => ({ ...user, distinctId: `other-${index}`, personProperties: { plan: "free", joined: "2020-01-01" } })),
  ];
  for (const one of users) {
    const expected = await client.evaluateFlags(one.distinctId, one);
    const actual = await flags.forUser(one);
    assert.deepEqual(actual.unresolved, expected.unresolvedFlags);
    for (const key of [...sample.flags.map(({ key }) => key), "missing"]) {
      assert.equal(actual.getFeatureFlag(key), expected.getFlag(key), key);
      assert.equal(actual.isEnabled(key), expected.isEnabled(key), key);
      assert.equal(actual.isEnabled(key, true), expected.isEnabled(key, { defaultValue: true }), key);
      assert.deepEqual(actual.getFeatureFlagPayload(key) ?? null, (await client.getFeatureFlagPayload(key, one.distinctId, undefined, one)) ?? null, key);
    }
    const all = await client.getAllFlagsAndPayloads(one.distinctId, one);
    assert.deepEqual(actual.getAllFlagsAndPayloads(), all);
    assert.deepEqual(actual.getAllFlags(), all.featureFlags);
  }
});

test("a result tells value, variant, payload, source, reason and the snapshot", async () => {
  const flags = await createFlags({ reader: load(compiledSnapshot(header, sample)) }).forUser(user);
  const { snapshot, ...on } = flags.getFeatureFlagResult("on");
  assert.deepEqual(on, { key: "on", value: true, enabled: true, variant: undefined, payload: { size: 3 }, source: "snapshot", reason: null });
  assert.equal(snapshot, flags.snapshot);
  assert.equal(snapshot.version, header.digest);
  assert.equal(snapshot.info.checkedAt, header.checked_at);
  assert.ok(snapshot.ageSeconds > 0);
  assert.equal(snapshot.stale, false);
  const of = (key) => {
    const { value, enabled, variant, source, reason } = flags.getFeatureFlagResult(key);
    return [value, enabled, variant, source, reason];
  };
  assert.deepEqual(of("off"), [false, false, undefined, "snapshot", null]);
  assert.deepEqual(of("coloured"), ["blue", true, "blue", "snapshot", null]);
  assert.deepEqual(of("sticky"), [undefined, false, undefined, "none", "experience_continuity"]);
  assert.deepEqual(of("missing"), [undefined, false, undefined, "none", "flag_not_found"]);
});

test("a default is used only where there is no value", async () => {
  const flags = await createFlags({ reader: load(sample) }).forUser(user);
  assert.equal(flags.getFeatureFlag("off", true), false);
  assert.equal(flags.isEnabled("off", true), false);
  assert.equal(flags.getFeatureFlag("sticky", "blue"), "blue");
  assert.equal(flags.isEnabled("sticky", true), true);
  assert.equal(flags.isEnabled("missing"), false);
});

test("a flag keeps its answer while the user changes and the reader's definitions are replaced", async () => {
  const results = [{ bytes: bytesOf(definitions(flag("first"))), version: "1" }, { bytes: bytesOf(definitions(flag("second"))), version: "2" }];
  const reader = createReader({ source: { describe: "the test", read: async () => results.shift() }, ttl: 0 });
  const flags = createFlags({ reader });
  const before = await flags.forUser(user);
  const after = await flags.forUser(user);
  assert.deepEqual(before.getAllFlags(), { first: true });
  assert.equal(before.isEnabled("first"), true);
  assert.equal(after.isEnabled("first"), false);
  assert.deepEqual(after.getAllFlags(), { second: true });
  const changing = { distinctId: "u", personProperties: { plan: "pro" } };
  const held = await createFlags({ reader: load(sample) }).forUser(changing);
  assert.equal(held.isEnabled("pros"), true);
  changing.personProperties.plan = "free";
  assert.equal(held.isEnabled("pros"), true);
});

test("what getAllFlags gives belongs to the caller", async () => {
  const flags = await createFlags({ reader: load(sample) }).forUser(user);
  flags.getAllFlags().on = "spoiled";
  flags.getAllFlagsAndPayloads().featureFlagPayloads.on = "spoiled";
  assert.equal(flags.getAllFlags().on, true);
  assert.deepEqual(flags.getAllFlagsAndPayloads().featureFlagPayloads.on, { size: 3 });
});

test("the time is fixed, or taken once when forUser is called", async () => {
  const joined = { distinctId: "u", personProperties: { joined: "2024-05-01" } };
  const at = (now) => createFlags({ reader: load(sample), now }).forUser(joined);
  assert.equal((await at(new Date("2024-05-02"))).isEnabled("fresh"), true);
  assert.equal((await at(new Date("2024-06-02"))).isEnabled("fresh"), false);
  let now = new Date("2024-05-02");
  const flags = await at(() => now);
  now = new Date("2024-06-02");
  assert.equal(flags.isEnabled("fresh"), true);
  assert.throws(() => createFlags({ reader: load(sample), now: new Date("never") }), { code: "invalid_options", message: /now/ });
});

test("overrides win over everything and are marked", async () => {
  const overrides = { on: "red", off: true, missing: { value: true, payload: { a: 1 } }, pros: undefined, sticky: false };
  const flags = await createFlags({ reader: load(sample), overrides }).forUser(user);
  assert.equal(flags.getFeatureFlag("on"), "red");
  assert.equal(flags.getFeatureFlagPayload("on"), undefined, "the payload belonged to another value");
  assert.equal(flags.isEnabled("off"), true);
  assert.deepEqual(flags.getFeatureFlagPayload("missing"), { a: 1 });
  assert.equal(flags.getFeatureFlagResult("sticky").source, "override");
  assert.equal(flags.getFeatureFlagResult("sticky").reason, null);
  assert.equal(flags.getFeatureFlagResult("pros").source, "snapshot");
  const { featureFlags, featureFlagPayloads } = flags.getAllFlagsAndPayloads();
  assert.deepEqual([featureFlags.on, featureFlags.off, featureFlags.missing, featureFlags.pros, featureFlags.sticky], ["red", true, true, true, false]);
  assert.deepEqual([featureFlagPayloads.on, featureFlagPayloads.missing], [undefined, { a: 1 }]);
  assert.equal("sticky" in flags.unresolved, false);
});

test("overrides may depend on the user, and work without a snapshot", async () => {
  const flags = createFlags({ reader: failing, onError() {}, overrides: ({ distinctId }) => (distinctId === "tester" ? { beta: true } : undefined) });
  assert.deepEqual((await flags.forUser({ distinctId: "tester" })).getAllFlags(), { beta: true });
  assert.equal((await flags.forUser({ distinctId: "other" })).getFeatureFlagResult("beta").reason, "no_snapshot");
});

test("an override that is no value of a flag is refused at once", () => {
  for (const wrong of [3, null, { payload: 1 }, ["a"]]) {
    assert.throws(() => createFlags({ reader: load(sample), overrides: { odd: wrong } }), { code: "invalid_options", message: /"odd"/ });
  }
});

test("without a snapshot flags have no value, which is told once until it works again", async () => {
  const { errors, onError } = collected();
  const definitionsOf = load(sample);
  let works = false;
  const reader = { current: async () => (works ? definitionsOf : failing.current()) };
  const flags = createFlags({ reader, onError });
  for (let index = 0; index < 3; index++) {
    const answers = await flags.forUser(user);
    assert.equal(answers.isEnabled("on"), false);
    assert.equal(answers.getFeatureFlag("on", "blue"), "blue");
    assert.equal(answers.getFeatureFlagResult("on").reason, "no_snapshot");
    assert.equal(answers.snapshot, null);
    assert.deepEqual(answers.getAllFlags(), {});
  }
  assert.deepEqual(errors.map(({ code }) => code), ["no_snapshot"]);
  works = true;
  assert.equal((await flags.forUser(user)).isEnabled("on"), true);
  works = false;
  await flags.forUser(user);
  assert.equal(errors.length, 2);
});

test("a reader's odd errors and a listener that throws break no answer", async () => {
  const flags = createFlags({ reader: { current: () => Promise.reject("odd") }, onError() { throw new Error("listener"); } });
  assert.equal((await flags.forUser(user)).isEnabled("on"), false);
  const warn = mock.method(console, "warn", () => {});
  await createFlags({ reader: failing }).forUser(user);
  warn.mock.restore();
  assert.match(warn.mock.calls[0].arguments[0], /flagpost: no snapshot at the test/);
});

test("strict clients throw when there is no snapshot", async () => {
  await assert.rejects(createFlags({ reader: failing, strict: true }).forUser(user), { code: "no_snapshot" });
});

test("of a snapshot older than maxAge the reader's policy decides", async () => {
  const answersWith = async (onStale, options = {}) => {
    const source = { describe: "the test", read: async () => ({ bytes: compiledSnapshot(header, sample), version: "1" }) };
    return createFlags({ reader: createReader({ source, maxAge: 60, onStale, onError() {} }), onError() {}, ...options }).forUser(user);
  };
  const served = await answersWith("serve");
  assert.equal(served.isEnabled("on"), true);
  assert.deepEqual([served.snapshot.stale, served.snapshot.version], [true, header.digest]);
  const unresolved = await answersWith("unresolved");
  assert.equal(unresolved.getFeatureFlagResult("on").reason, "stale_snapshot");
  assert.equal(unresolved.getFeatureFlagResult("missing").reason, "flag_not_found");
  assert.equal(unresolved.unresolved.on, "stale_snapshot");
  assert.equal(unresolved.snapshot.stale, true);
  const thrown = await answersWith("throw");
  assert.equal(thrown.getFeatureFlagResult("on").reason, "stale_snapshot");
  assert.equal(thrown.snapshot, null);
  await assert.rejects(answersWith("throw", { strict: true }), { code: "stale_snapshot" });
});

test("a failing evaluator costs a flag its value, is told once, and in strict clients throws", async () => {
  const { errors, onError } = collected();
  const freed = load(bytesOf({ ...sample, of: "the freed" }));
  freed.free();
  const flags = await createFlags({ reader: freed, onError }).forUser(user);
  assert.equal(flags.isEnabled("on"), false);
  assert.equal(flags.getFeatureFlagResult("pros").reason, "evaluation_failed");
  assert.deepEqual(flags.getAllFlags(), {});
  assert.deepEqual(errors.map(({ code }) => code), ["freed"]);
  const strict = await createFlags({ reader: freed, strict: true }).forUser(user);
  assert.throws(() => strict.isEnabled("on"), { code: "freed" });
});

test("an evaluator that breaks off is asked again", async () => {
  const dated = definitions(flag("fresh", [filter("joined", "is_date_after", "2020-01-01")]));
  const flags = await createFlags({ reader: load(dated), strict: true }).forUser({ distinctId: "u", personProperties: { joined: "1 May 2024" } });
  const original = Date.parse;
  let broken = 0;
  Date.parse = (...parts) => {
    if (broken++ === 0) throw new WebAssembly.RuntimeError("unreachable");
    return original(...parts);
  };
  try {
    assert.equal(flags.isEnabled("fresh"), true);
  } finally {
    Date.parse = original;
  }
  assert.ok(broken > 1);
});

test("null in place of options, or of flagKeys, is none", async () => {
  const flags = createFlags({ reader: load(definitions(flag("on"))) });
  for (const options of [null, { flagKeys: null, ctx: null }]) assert.equal((await flags.forUser({ distinctId: "u" }, options)).isEnabled("on"), true);
});

test("a user that is none is refused, with or without a snapshot", async () => {
  for (const reader of [load(sample), failing]) {
    const flags = createFlags({ reader, onError() {} });
    await assert.rejects(flags.forUser(undefined), { code: "invalid_user" });
    await assert.rejects(flags.forUser({ distinctId: "u", groups: 3 }), { code: "invalid_user" });
    await assert.rejects(flags.forUser({ personProperties: {} }), { code: "invalid_user", message: /distinctId/ });
  }
  const unreadable = await createFlags({ reader: load(sample) }).forUser({ distinctId: "u", groups: { company: Symbol("acme") } });
  assert.throws(() => unreadable.isEnabled("company"), { code: "invalid_user" });
});

test("a source, a binding, a URL, a reader and definitions may stand for the reader, and the context reaches it", async () => {
  const bytes = bytesOf(sample);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const source = { describe: "the test", read: async () => ({ bytes, version: "1" }) };
  const kv = { get: async () => buffer };
  for (const reader of [source, kv, createReader({ source }), load(sample)]) {
    assert.equal((await createFlags({ reader }).forUser(user)).isEnabled("on"), true);
  }
  const ctx = { waitUntil() {} };
  const seen = [];
  await createFlags({ reader: { current: async (given) => (seen.push(given), load(sample)) } }).forUser(user, { ctx });
  assert.equal(seen[0], ctx);
  assert.throws(() => createFlags({ reader: undefined }), { code: "invalid_options", message: /source/ });
});

test("a flag map makes wrong keys and variants compile errors", () => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const project = new URL("types/tsconfig.json", import.meta.url).pathname;
  assert.equal(execFileSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" }), "");
});
