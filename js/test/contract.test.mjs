import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag, FlagpostError, load } from "flagpost";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";

const variants = { variants: [{ key: "blue", rollout_percentage: 100 }] };
const sample = definitions(
  flag("on"),
  { key: "off", active: false, filters: { groups: [] } },
  flag("coloured", [], { multivariate: variants, payloads: { blue: '{"hex":"#00f"}' } }),
  flag("zero", [], { payloads: { true: "0" } }),
  flag("pros", [filter("plan", "exact", "pro")]),
  { ...flag("sticky"), ensure_experience_continuity: true },
);
const user = { distinctId: "user-1" };

test("evaluate answers all flags with values, payloads and reasons", () => {
  assert.deepEqual(evaluate(load(sample), user), {
    featureFlags: { on: true, off: false, coloured: "blue", zero: true },
    featureFlagPayloads: { coloured: { hex: "#00f" } },
    unresolved: { pros: "missing_context", sticky: "experience_continuity" },
  });
});

test("answers are plain objects that survive JSON", () => {
  const answers = evaluate(sample, user);
  assert.deepEqual(JSON.parse(JSON.stringify(answers)), answers);
  assert.equal(Object.getPrototypeOf(answers.featureFlags), Object.prototype);
});

test("evaluateFlag answers one flag and keeps a falsy payload", () => {
  assert.deepEqual(evaluateFlag(sample, "on", user), { value: true });
  assert.deepEqual(evaluateFlag(sample, "zero", user), { value: true, payload: 0 });
  assert.deepEqual(evaluateFlag(sample, "coloured", user), { value: "blue", payload: { hex: "#00f" } });
  assert.deepEqual(evaluateFlag(sample, "sticky", user), { unresolved: "experience_continuity" });
  assert.equal(evaluateFlag(sample, "unknown", user), undefined);
  assert.equal(evaluateFlag(sample, "constructor", user), undefined);
});

test("a payload may be changed without spoiling the next answer", () => {
  const first = evaluateFlag(sample, "coloured", user);
  first.payload.hex = "changed";
  assert.deepEqual(evaluateFlag(sample, "coloured", user).payload, { hex: "#00f" });
});

test("flagKeys choose flags, and unknown ones are ignored", () => {
  const answers = evaluate(sample, user, { flagKeys: ["pros", "on", "unknown", "__proto__"] });
  assert.deepEqual(answers, { featureFlags: { on: true }, featureFlagPayloads: {}, unresolved: { pros: "missing_context" } });
  assert.deepEqual(evaluate(sample, user, { flagKeys: [] }).featureFlags, {});
});

test("now is the time that relative dates count from", () => {
  const dated = definitions(flag("fresh", [filter("joined", "is_date_after", "-7d")]));
  const joined = { ...user, personProperties: { joined: "2024-05-01" } };
  const at = (day) => evaluateFlag(dated, "fresh", joined, { now: new Date(day) }).value;
  assert.deepEqual([at("2024-05-05"), at("2024-05-10")], [true, false]);
  assert.equal(evaluate(dated, joined, { now: new Date("2024-05-05") }).featureFlags.fresh, true);
  const ancient = { distinctId: "u", personProperties: { joined: "1969-12-30" } };
  assert.deepEqual(evaluateFlag(dated, "fresh", ancient, { now: null }), evaluateFlag(dated, "fresh", ancient), "null is the present");
});

test("the user is completed with distinct_id and $group_key", () => {
  const completed = definitions(
    flag("by-id", [filter("distinct_id", "exact", "user-1")]),
    flag("by-group", [{ ...filter("$group_key", "exact", "acme"), type: "group" }], { aggregation_group_type_index: 0 }),
  );
  assert.equal(evaluateFlag(completed, "by-id", user).value, true);
  assert.equal(evaluateFlag(completed, "by-group", { ...user, groups: { company: "acme" } }).value, true);
  const overridden = { ...user, personProperties: { distinct_id: "other" } };
  assert.equal(evaluateFlag(completed, "by-id", overridden).value, false);
});

test("flags and properties may have the names of Object.prototype", () => {
  const keys = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const odd = definitions(...keys.map((key) => flag(key, [filter(key, "exact", "yes")])));
  const personProperties = JSON.parse(`{${keys.map((key) => `"${key}":"yes"`)}}`);
  const answers = evaluate(odd, { distinctId: "u", personProperties });
  assert.deepEqual(Object.entries(answers.featureFlags), keys.map((key) => [key, true]));
  assert.deepEqual(Object.keys(evaluate(odd, user).unresolved), keys);
});

test("every form of input gives the same answers", () => {
  const text = JSON.stringify(sample);
  const bytes = bytesOf(sample);
  const camel = { flags: sample.flags, groupTypeMapping: sample.group_type_mapping, cohorts: {} };
  const inside = new Uint8Array(bytes.length + 7);
  inside.set(bytes, 3);
  const forms = { text, bytes, buffer: bytes.buffer, object: structuredClone(sample), camel, view: inside.subarray(3, 3 + bytes.length) };
  const expected = evaluate(sample, user);
  for (const [name, form] of Object.entries(forms)) {
    assert.deepEqual(evaluate(form, user), expected, name);
    assert.deepEqual(evaluate(load(form), user), expected, `loaded ${name}`);
  }
});

test("evaluation contexts leave flags out", () => {
  const tagged = definitions(flag("everywhere"), { ...flag("web"), evaluation_contexts: ["web"] });
  assert.deepEqual(load(tagged, { evaluationContexts: ["ios"] }).flagKeys, ["everywhere"]);
  assert.deepEqual(load(tagged, { evaluationContexts: ["web"] }).flagKeys, ["everywhere", "web"]);
  assert.deepEqual(load(tagged).flagKeys, ["everywhere", "web"]);
});

test("definitions tell their keys, their problems and that they are no snapshot", () => {
  const loaded = load({ ...sample, flags: [...sample.flags, 7] });
  // posthog-node knows a flag without a key by the text of what it lacks.
  assert.deepEqual(loaded.flagKeys, [...sample.flags.map(({ key }) => key), "undefined"]);
  assert.equal(loaded.problems.length, 1);
  assert.equal(loaded.info, null);
  assert.equal(loaded.ageSeconds, null);
});

test("freed definitions say that they were freed", () => {
  const loaded = load(structuredClone(sample));
  loaded.free();
  loaded.free();
  assert.throws(() => evaluate(loaded, user), { name: "FlagpostError", code: "freed", message: /load them again/ });
});

const mistakes = {
  "nothing": [undefined, "invalid_input", /undefined.*refresher run/],
  "null, as KV answers for a missing key": [null, "invalid_input", /null.*refresher run/],
  "a Promise": [Promise.resolve(), "invalid_input", /await it first/],
  "a stream": [new ReadableStream(), "invalid_input", /arrayBuffer\(\) first/],
  "a Response": [new Response(""), "invalid_input", /await its arrayBuffer\(\)/],
  "an empty string": ["", "invalid_input", /empty string/],
  "an empty buffer": [new ArrayBuffer(0), "invalid_input", /empty buffer/],
  "a snapshot read as text": ["FLAGPOST\u0002", "invalid_input", /ArrayBuffer/],
  "a number": [7, "invalid_input", /a number/],
  "a function": [() => {}, "invalid_input", /a function/],
  "cut JSON": ['{"flags":[', "invalid_json", /not JSON/],
  "other JSON": [{ detail: "Not found." }, "invalid_definitions", /flags/],
  "a list": [[], "invalid_definitions", /list/],
  "an object that refers to itself": [Object.assign({}, { get self() { return this; } }), "invalid_definitions", /circular|too much recursion/i],
  "a cut snapshot": [new TextEncoder().encode("FLAGPOST and then nothing more"), "damaged_snapshot", /damaged/],
};
for (const [what, [input, code, message]] of Object.entries(mistakes)) {
  test(`${what} in place of definitions is refused with the fix`, () => {
    for (const use of [() => load(input), () => evaluate(input, user), () => evaluateFlag(input, "on", user)]) {
      assert.throws(use, (error) => {
        assert.ok(error instanceof FlagpostError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    }
  });
}

test("a user without a distinct id is refused with the fix", () => {
  for (const wrong of [undefined, null, "user-1", {}, { distinctId: null }, { distinctId: {} }]) {
    assert.throws(() => evaluate(sample, wrong), { code: "invalid_user", message: /distinctId: "user-1"/ });
    assert.throws(() => evaluateFlag(sample, "on", wrong), { code: "invalid_user" });
  }
  assert.doesNotThrow(() => evaluate(sample, { distinctId: "" }));
  assert.throws(() => evaluate(sample, { ...user, groups: "acme" }), { code: "invalid_user", message: /groups is a string/ });
});

test("wrong options are refused with the fix", () => {
  assert.throws(() => evaluate(sample, user, { flagKeys: "on" }), { code: "invalid_options", message: /flagKeys/ });
  for (const now of [new Date(Number.NaN), Symbol("now"), { valueOf() { throw new Error("no"); } }]) {
    assert.throws(() => evaluate(sample, user, { now }), { code: "invalid_options", message: /now/ });
  }
  for (const evaluationContexts of ["web", [1], [null], [,], {}, 5, new Set(["web"])]) {
    assert.throws(() => load(JSON.stringify(sample), { evaluationContexts }), { code: "invalid_options", message: /evaluationContexts: \["web"\]/ });
  }
});

test("definitions as an object mean what their JSON text means, numbers beyond a double's range included", () => {
  const filters = (value) => ({ groups: [{ properties: [{ key: "k", operator: "lt", value }], rollout_percentage: null }] });
  const text = `{"flags":[{"key":"below","active":true,"filters":${JSON.stringify(filters(0)).replace(":0}", ":1e400}")}},
    {"key":"above","active":true,"filters":${JSON.stringify(filters(0)).replace(":0}", ":-1e400}")}}]}`;
  const asked = { distinctId: "u", personProperties: { k: 5 } };
  for (const definitions of [text, JSON.parse(text)]) {
    assert.deepEqual(evaluate(definitions, asked).featureFlags, { below: true, above: false });
  }
});
