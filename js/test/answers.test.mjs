/** What `evaluate` returns: made when it is read, and in every other way a plain object. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { evaluate, evaluateFlag, load } from "flagpost";
import { definitions, filter, flag } from "./definitions.mjs";

const PAYLOAD = { title: "Hello", list: [1, { deep: true }] };

/** Flags of every kind of answer, in turns. */
function many(count) {
  const kinds = [
    (key) => flag(key),
    (key) => flag(key, [filter("plan", "exact", "pro")]),
    (key) => flag(key, [], { groups: [{ properties: [], rollout_percentage: 50 }] }),
    (key) => flag(key, [], { multivariate: { variants: [{ key: "a", rollout_percentage: 50 }, { key: "b", rollout_percentage: 50 }] }, payloads: { a: JSON.stringify(PAYLOAD), b: "0" } }),
    (key) => flag(key, [filter("rare", "exact", "x")], { payloads: { true: '"text"' } }),
    (key) => flag(key, [], { multivariate: { variants: [{ key: { odd: [key] }, rollout_percentage: 100 }] } }),
  ];
  const flags = Array.from({ length: count }, (_, index) => kinds[index % kinds.length](`flag-${index}`));
  return load(definitions(...flags));
}

/** The same answers as plain objects, made from those of each flag alone. */
function oneByOne(loaded, user, keys = loaded.flagKeys) {
  const expected = { featureFlags: {}, featureFlagPayloads: {}, unresolved: {} };
  for (const key of keys) {
    const { value, payload, unresolved } = evaluateFlag(loaded, key, user);
    if (unresolved !== undefined) expected.unresolved[key] = unresolved;
    else expected.featureFlags[key] = value;
    if (payload) expected.featureFlagPayloads[key] = payload;
  }
  return expected;
}

/** Users with and without the properties that flags read, so that other flags are unresolved for them. */
function userOf(index) {
  const personProperties = index % 5 === 0 ? {} : { plan: index % 2 ? "pro" : "free", ...(index % 7 === 0 && { rare: "x" }) };
  return { distinctId: `user-${index}`, personProperties };
}

for (const count of [1, 16, 17, 63, 64, 200, 1000, 1100]) {
  test(`all of ${count} flags have the answers that each has alone, user after user`, () => {
    const loaded = many(count);
    for (let index = 0; index < 30; index++) {
      const answers = evaluate(loaded, userOf(index));
      const expected = oneByOne(loaded, userOf(index));
      assert.deepEqual(answers, expected);
      assert.deepEqual(Object.keys(answers.featureFlags), Object.keys(expected.featureFlags));
    }
  });
}

const sizes = { "ten flags": [many(10), undefined], "200 flags": [many(200), undefined], "twenty of 200 flags": [many(200), Array.from({ length: 20 }, (_, index) => `flag-${index}`)] };
for (const [name, [loaded, flagKeys]] of Object.entries(sizes)) {
  const ask = (index = 1) => evaluate(loaded, userOf(index), { flagKeys });
  const expected = () => oneByOne(loaded, userOf(1), flagKeys);
  const MEMBERS = ["featureFlags", "featureFlagPayloads", "unresolved"];

  test(`answers of ${name} are as good as a plain object`, () => {
    assert.deepEqual(Object.keys(ask()), MEMBERS);
    assert.deepEqual(Reflect.ownKeys(ask()).filter((key) => typeof key === "string"), MEMBERS);
    assert.equal(Object.getPrototypeOf(ask()), Object.prototype);
    assert.deepEqual(ask(), expected());
    assert.deepEqual({ ...ask() }, expected());
    assert.deepEqual(Object.assign({}, ask()), expected());
    assert.deepEqual(Object.fromEntries(Object.entries(ask())), expected());
    assert.deepEqual(structuredClone(ask()), expected());
    assert.equal(JSON.stringify(ask()), JSON.stringify(expected()));
    assert.equal(inspect(ask()), inspect(expected()));
    const { featureFlags, ...others } = ask();
    assert.deepEqual({ featureFlags, ...others }, expected());
    for (const member of MEMBERS) {
      assert.equal(Object.getPrototypeOf(ask()[member]), Object.prototype);
      assert.ok(Object.hasOwn(ask(), member) && member in ask());
    }
  });

  test(`answers of ${name} are the same each time they are read, and whoever reads them may change them`, () => {
    for (const member of MEMBERS) {
      const answers = ask();
      assert.equal(answers[member], answers[member]);
      answers[member].added = true;
      assert.equal(answers[member].added, true);
      assert.equal(ask()[member].added, undefined);
      answers[member] = { other: true };
      assert.deepEqual(answers[member], { other: true });
      const unread = ask();
      unread[member] = undefined;
      assert.equal(unread[member], undefined);
      delete unread[member];
      assert.ok(!(member in unread));
    }
  });

  test(`answers of ${name} can be read through whatever wraps them`, () => {
    const wrapped = new Proxy(ask(), {});
    const derived = Object.create(ask());
    for (const member of MEMBERS) {
      assert.deepEqual(wrapped[member], expected()[member]);
      assert.deepEqual(derived[member], expected()[member]);
    }
  });

  test(`payloads and values that are objects belong to one answer of ${name} alone`, () => {
    const [first, second] = [ask(), ask()];
    for (const key of Object.keys(first.featureFlagPayloads)) {
      if (typeof first.featureFlagPayloads[key] !== "object") continue;
      assert.notEqual(first.featureFlagPayloads[key], second.featureFlagPayloads[key]);
    }
    for (let round = 0; round < 10; round++) ask().featureFlags["flag-5"].odd.push("changed");
    assert.deepEqual(ask().featureFlags["flag-5"], { odd: ["flag-5"] });
  });

  test(`answers of ${name} stay what they were when others are asked, and when definitions are freed`, () => {
    const fresh = load({ ...definitions(...Array.from({ length: 30 }, (_, index) => flag(`f${index}`, [filter("plan", "exact", "pro")]))), name });
    const [pro, free] = [evaluate(fresh, userOf(1)), evaluate(fresh, userOf(2))];
    fresh.free();
    assert.equal(pro.featureFlags.f29, true);
    assert.equal(free.featureFlags.f29, false);
  });
}

test("a flag without an answer has no payload, whichever it has for true", () => {
  const loaded = many(200);
  const { unresolved, featureFlagPayloads } = evaluate(loaded, { distinctId: "u" });
  assert.equal(unresolved["flag-4"], "missing_context");
  assert.equal(featureFlagPayloads["flag-4"], undefined);
  assert.deepEqual(evaluateFlag(loaded, "flag-4", { distinctId: "u" }), { unresolved: "missing_context" });
});

test("keys that look like numbers and keys that are not ASCII stand where posthog-node puts them", () => {
  const keys = ["z", "10", "2", "é", "\ud83d\ude00", "__proto__", "\ud800", "a b"];
  const loaded = load(definitions(...keys.map((key) => flag(key)), ...Array.from({ length: 100 }, (_, index) => flag(`more-${index}`))));
  for (let round = 0; round < 10; round++) {
    const { featureFlags } = evaluate(loaded, { distinctId: "u" });
    assert.deepEqual(Object.keys(featureFlags).slice(0, 8), ["2", "10", "z", "é", "\ud83d\ude00", "__proto__", "\ud800", "a b"]);
    assert.ok(keys.every((key) => Object.hasOwn(featureFlags, key) && featureFlags[key] === true));
  }
  for (const key of keys) assert.deepEqual(evaluateFlag(loaded, key, { distinctId: "u" }), { value: true }, JSON.stringify(key));
  assert.deepEqual(loaded.flagKeys.slice(0, 8), keys);
});
