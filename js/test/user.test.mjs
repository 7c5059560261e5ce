/** Users whose maps, ids and keys are odd, asked of posthog-node 5.70.0 and of Flagpost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag } from "flagpost";
import { openEvaluator } from "../../tests/differential/reference.mjs";
import { definitions, filter, flag } from "./definitions.mjs";

const half = [{ properties: [], rollout_percentage: 50 }];
const KEYS = ["length", "name", "shout", "0"];
const ofGroup = (key, operator, value) => ({ ...filter(key, operator, value), type: "group" });
const sample = definitions(
  ...KEYS.map((key) => flag(`person ${key}`, [filter(key, "is_set")])),
  ...KEYS.map((key) => flag(`group ${key}`, [ofGroup(key, "is_set")], { aggregation_group_type_index: 0 })),
  flag("person id", [filter("distinct_id", "icontains", "u")]),
  flag("group key", [ofGroup("$group_key", "is_set")], { aggregation_group_type_index: 0 }),
  flag("half", [], { groups: half }),
  flag("group half", [], { groups: half, aggregation_group_type_index: 0 }),
  flag("mixed half", [], { groups: [{ ...half[0], aggregation_group_type_index: 0 }] }),
  flag("group full", [], { groups: [{ properties: [], rollout_percentage: null }], aggregation_group_type_index: 0 }),
  { ...flag("device half", [], { groups: half }), bucketing_identifier: "device_id" },
);
const reference = await openEvaluator({ text: JSON.stringify(sample) });

async function assertSame(user) {
  const all = evaluate(sample, user);
  for (const { key } of sample.flags) {
    const expected = await reference.one(key, user);
    const actual = evaluateFlag(sample, key, user);
    if (expected.threw !== undefined) assert.ok("unresolved" in actual, key);
    else assert.deepEqual(actual, expected, key);
    assert.equal(all.featureFlags[key], actual.value, key);
  }
}

class Account {
  name = "acme";
  get shout() { return "ACME"; }
  get company() { return "acme"; }
}
const hidden = (key, value) => Object.defineProperty({ name: "x" }, key, { value });
const maps = {
  "a list": ["x"],
  "an empty list": [],
  "a class instance with a getter": new Account(),
  "an object that inherits": Object.create({ name: "x" }),
  "an object without a prototype": Object.assign(Object.create(null), { name: "x" }),
  "an object with a hidden member": hidden("shout", "x"),
  "a Map": new Map([["name", "x"]]),
  "a boxed text": new String("x"),
};
for (const [name, map] of Object.entries(maps)) {
  test(`${name} holds the properties that posthog-node copies from it`, async () => {
    await assertSame({ distinctId: "u", personProperties: map });
    await assertSame({ distinctId: "u", groups: { company: "acme" }, groupProperties: { company: map } });
  });
}

const groups = {
  "the user's own": { company: "acme" },
  "inherited": Object.create({ company: "acme" }),
  "a getter of a class": new Account(),
  "hidden": hidden("company", "acme"),
  "of an object without a prototype": Object.assign(Object.create(null), { company: "acme" }),
  "undefined": { company: undefined },
  "a list": [],
};
for (const [name, map] of Object.entries(groups)) {
  test(`a group that is ${name} is one where posthog-node finds it`, async () => {
    await assertSame({ distinctId: "u", groups: map });
    await assertSame({ distinctId: "u", groups: map, groupProperties: { company: { name: "x" } } });
    await assertSame({ distinctId: "u", groups: map, groupProperties: Object.create({ company: { name: "x" } }) });
    await assertSame({ distinctId: "u", groups: map, groupProperties: { company: "a text" } });
  });
}

const textless = {
  "an object without a prototype": Object.create(null),
  "an object whose toString throws": { toString() { throw new RangeError("mine"); } },
};
for (const [name, key] of Object.entries(textless)) {
  test(`${name} as the key of a group is refused with the group's name`, () => {
    const user = { distinctId: "u", groups: { company: key } };
    for (const ask of [() => evaluate(sample, user), () => evaluateFlag(sample, "group half", user)]) {
      assert.throws(ask, { name: "FlagpostError", code: "invalid_user", message: /group "company".*pass a string/ });
    }
    assert.deepEqual(evaluateFlag(sample, "half", user), evaluateFlag(sample, "half", { distinctId: "u" }), "it reads no group");
  });

  test(`${name} as the device id leaves unresolved what hashes it`, async () => {
    await assertSame({ distinctId: "u", personProperties: { $device_id: key } });
    assert.equal(evaluateFlag(sample, "half", { distinctId: "u", personProperties: { $device_id: key } }).value, (await reference.one("half", { distinctId: "u" })).value);
  });
}

test("names that every object inherits are no groups and no properties", () => {
  const odd = { ...definitions(flag("by-group", [], { aggregation_group_type_index: 0 }), flag("by-person", [filter("toString", "is_set")])), group_type_mapping: { 0: "constructor" } };
  assert.deepEqual(evaluate(odd, { distinctId: "u", groups: {}, personProperties: {} }), { featureFlags: { "by-group": false }, featureFlagPayloads: {}, unresolved: { "by-person": "missing_context" } });
});
