import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { createFlags, FlagpostError, load } from "flagpost";
import { createTestFlags, fixedClock } from "flagpost/testing";
import { definitions, filter, flag } from "./definitions.mjs";

const user = { distinctId: "user-1" };

test("given values answer as a snapshot's do", async () => {
  const flags = await createTestFlags({ on: true, off: false, coloured: { value: "blue", payload: { hex: "#00f" } } }).forUser(user);
  assert.equal(flags.isEnabled("on"), true);
  assert.equal(flags.isEnabled("off", true), false);
  assert.equal(flags.getFeatureFlag("coloured"), "blue");
  assert.deepEqual(flags.getFeatureFlagPayload("coloured"), { hex: "#00f" });
  assert.deepEqual(flags.getAllFlags(), { on: true, off: false, coloured: "blue" });
  assert.deepEqual(flags.getAllFlagsAndPayloads().featureFlagPayloads, { coloured: { hex: "#00f" } });
  assert.equal(flags.isEnabled("other", true), true);
  assert.equal(flags.getFeatureFlagResult("other").reason, "flag_not_found");
  assert.equal(flags.snapshot, null);
});

test("results are those of a real client whose overrides are the same", async () => {
  const values = { on: true, off: false, coloured: { value: "blue", payload: 0 } };
  const reader = { current: async () => { throw new FlagpostError("no_snapshot", "none"); } };
  const real = await createFlags({ reader, overrides: values, onError() {} }).forUser(user);
  const tested = await createTestFlags(values).forUser(user);
  for (const key of Object.keys(values)) assert.deepEqual(tested.getFeatureFlagResult(key), real.getFeatureFlagResult(key));
  assert.deepEqual(tested.getAllFlagsAndPayloads(), real.getAllFlagsAndPayloads());
  assert.deepEqual(Object.getOwnPropertyNames(Object.getPrototypeOf(tested)), Object.getOwnPropertyNames(Object.getPrototypeOf(real)));
});

test("values may depend on the user", async () => {
  const flags = createTestFlags(({ personProperties }) => ({ beta: personProperties?.plan === "pro" }));
  assert.equal((await flags.forUser({ distinctId: "a", personProperties: { plan: "pro" } })).isEnabled("beta"), true);
  assert.equal((await flags.forUser({ distinctId: "b" })).isEnabled("beta", true), false);
});

test("values can be set, taken back and reset; flags of a user keep theirs", async () => {
  const flags = createTestFlags({ on: true });
  const before = await flags.forUser(user);
  flags.set("on", false);
  flags.set("coloured", { value: "red", payload: [1] });
  const after = await flags.forUser(user);
  assert.deepEqual(before.getAllFlags(), { on: true });
  assert.deepEqual(after.getAllFlags(), { on: false, coloured: "red" });
  flags.set("on", undefined);
  assert.deepEqual((await flags.forUser(user)).getAllFlags(), { on: true, coloured: "red" });
  flags.reset();
  assert.deepEqual((await flags.forUser(user)).getAllFlags(), { on: true });
});

test("what was asked is written down in order, until a reset", async () => {
  const flags = createTestFlags({ on: true });
  const one = await flags.forUser(user);
  one.isEnabled("on");
  one.getFeatureFlag("other", "blue");
  one.getFeatureFlagPayload("on");
  one.getAllFlags();
  (await flags.forUser({ distinctId: "user-2" })).getFeatureFlagResult("on");
  assert.deepEqual(flags.asked, [
    { distinctId: "user-1", key: "on", value: true },
    { distinctId: "user-1", key: "other", value: undefined },
    { distinctId: "user-2", key: "on", value: true },
  ]);
  flags.reset();
  assert.deepEqual(flags.asked, []);
});

test("what a real client refuses is refused", async () => {
  await assert.rejects(createTestFlags({}).forUser({}), { code: "invalid_user", name: "FlagpostError" });
  assert.throws(() => createTestFlags({ odd: 3 }), { code: "invalid_options" });
  assert.throws(() => createTestFlags().set("odd", null), { code: "invalid_options" });
  await assert.rejects(createTestFlags({}).forUser(undefined), FlagpostError);
});

test("a fixed clock moves only when it is told to", async () => {
  const dated = definitions(flag("fresh", [filter("joined", "is_date_after", "-7d")]));
  const now = fixedClock("2024-05-02T00:00:00Z");
  const flags = createFlags({ reader: load(dated), now });
  const joined = { distinctId: "u", personProperties: { joined: "2024-05-01" } };
  assert.equal((await flags.forUser(joined)).isEnabled("fresh"), true);
  now.advance(30 * 24 * 3600);
  assert.equal(now().toISOString(), "2024-06-01T00:00:00.000Z");
  assert.equal((await flags.forUser(joined)).isEnabled("fresh"), false);
  now.set(new Date("2024-05-03"));
  assert.equal((await flags.forUser(joined)).isEnabled("fresh"), true);
  assert.throws(() => fixedClock("never"), { code: "invalid_options" });
});

test("the subpath brings no WebAssembly, as ESM and as CJS", () => {
  const require = createRequire(import.meta.url);
  for (const file of [require.resolve("flagpost/testing"), new URL(import.meta.resolve("flagpost/testing"))]) {
    assert.doesNotMatch(readFileSync(file, "utf8"), /WebAssembly\.|evaluator/);
  }
  assert.equal(typeof require("flagpost/testing").createTestFlags, "function");
});
