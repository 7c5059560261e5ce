/** Values that JSON cannot carry, answered as posthog-node 5.70.0 answers them. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runInNewContext } from "node:vm";
import { evaluate, evaluateFlag } from "flagpost";
import { PostHog } from "posthog-node";
import { openReference } from "../../tests/support/reference.mjs";
import { definitions, filter, flag } from "./definitions.mjs";

const operators = [
  ["is_set", undefined], ["is_not_set", undefined],
  ["exact", "x"], ["exact", true], ["exact", "true"], ["exact", ["a", "[object Object]", "1.5"]], ["is_not", "x"], ["is_not", []],
  ["icontains", "object"], ["icontains", "a,b"], ["icontains", "undefined"], ["icontains", "\ud800"], ["not_icontains", "1"], ["starts_with", "["],
  ["regex", "^[0-9]+$"], ["regex", "object"], ["not_regex", "a"],
  ["gt", 5], ["lt", "z"], ["gte", "\ue000"],
  ["is_date_after", "2020-01-01"], ["is_date_before", "2020-01-01"],
  ["semver_gt", "1.0.0"], ["icontains", "object o"],
];

class Account {
  name = "acme";
}

const nested = (depth) => Array.from({ length: depth }).reduce((inner) => [inner], 1);
const cycle = { list: [1] };
cycle.list.push(cycle);
const cyclicList = ["a"];
cyclicList.push(cyclicList);
const bare = (members) => Object.assign(Object.create(null), members);
const styledList = (style) => Object.assign(["a", 1.5], style);
const styledCycle = styledList({ toString: () => "x" });
styledCycle.push(styledCycle);
/** A list of another realm: its methods are not those of this one. */
const foreign = (source) => runInNewContext(source);

const values = {
  undefined: undefined,
  null: null,
  true: true,
  "NaN": Number.NaN,
  "-0": -0,
  "1e21": 1e21,
  Infinity: Number.POSITIVE_INFINITY,
  "a bigint": 12345678901234567890n,
  "a symbol": Symbol("s"),
  "a symbol in a list": ["a", Symbol("s")],
  "a function": function named() { return 1; },
  "a lone surrogate": "a\ud800",
  "a lone surrogate in a long text": `${"a".repeat(60)}\udc00`,
  "an astral text": "\u{1f600}",
  "an accent": "\u00c9",
  "a long text": "x".repeat(5000),
  "an empty text": "",
  "a list": ["a", "b"],
  "a list with holes": [, "a", , undefined, null],
  "nested lists": ["a", ["b", [1.5, [null]]]],
  "an empty list": [],
  "a list of trues": [true, "TRUE"],
  "a plain object": { b: 1.5, a: "x" },
  "an object with __proto__": JSON.parse('{"__proto__":{"a":1},"constructor":"c"}'),
  "an object with its own toString": { toString: () => "x" },
  "an object whose toString is no function": { toString: 1 },
  "an object with its own valueOf": { valueOf: () => 7 },
  "an object whose conversion throws": { toString() { throw new Error("no"); } },
  "a class instance": new Account(),
  "a Map": new Map([["a", 1]]),
  "a boxed string": new String("x"),
  "an error": new Error("object"),
  "a date": new Date("2021-06-01T00:00:00Z"),
  "an old date": new Date(0),
  "an invalid date": new Date(Number.NaN),
  "a date in a list": [new Date(0)],
  "a Map in an object": { m: new Map() },
  "a cycle": cycle,
  "a cyclic list": cyclicList,
  "99 levels": nested(99),
  "101 levels": nested(101),
  "500 levels": nested(500),
  "500 levels of objects": Array.from({ length: 500 }).reduce((a) => ({ a }), 1.5),
  "500 levels of lists with a text of their own": Array.from({ length: 500 }).reduce((inner) => Object.assign([inner], { toString: () => "x" }), "x"),
  "an object without a prototype": bare({ a: 1.5 }),
  "an empty object without a prototype": bare({}),
  "an object without a prototype in a list": ["a", bare({ a: 1.5 })],
  "an object without a prototype in an object": { a: bare({ b: "x" }) },
  "an object without a prototype that has a toString": bare({ toString: () => "object" }),
  "an object without a prototype that has a valueOf": bare({ valueOf: () => 7 }),
  "an object without a prototype that has a primitive": bare({ [Symbol.toPrimitive]: () => "1.5.0" }),
  "an object with a tag": { a: 1.5, [Symbol.toStringTag]: "x" },
  "an object with a tag that is no text": { a: 1.5, [Symbol.toStringTag]: 1 },
  "an object with a primitive": { a: 1.5, [Symbol.toPrimitive]: () => "x" },
  "an object whose primitive is a symbol": { [Symbol.toPrimitive]: () => Symbol("s") },
  "an object with a hidden toString": Object.defineProperty({ a: "x" }, "toString", { value: () => "x" }),
  "an object with a hidden toString that gives the usual text": Object.defineProperty({}, "toString", { value: () => "[object Object]" }),
  "an object with a hidden toString that is no function": Object.defineProperty({ a: "x" }, "toString", { value: 1 }),
  "an object whose toString and valueOf give a text": { toString: null, valueOf: () => "x" },
  "arguments": (function args() { return arguments; })("a", 1.5),
  "arguments in a list": [(function args() { return arguments; })("a")],
  "Math": Math,
  "JSON": JSON,
  "a list with a toString": styledList({ toString: () => "x" }),
  "a list with a toString that throws": styledList({ toString() { throw new Error("no"); } }),
  "a list with a toString that is no function": styledList({ toString: 1 }),
  "a list with a join": styledList({ join: () => "x" }),
  "a list with a primitive": styledList({ [Symbol.toPrimitive]: () => "x" }),
  "a list with a valueOf": styledList({ valueOf: () => "x" }),
  "a list of trues with a toString": Object.assign([true, "TRUE"], { toString: () => "false" }),
  "a list with a toString in a list": ["b", styledList({ toString: () => "1" })],
  "a list with a toString that is inside itself": styledCycle,
  "a list without a prototype": Object.setPrototypeOf(["a", "b"], null),
  "a list of another class": class extends Array { toString() { return "x"; } }.from(["a", "b"]),
  "a list of another realm": foreign("['a', ['b', null]]"),
  "a list of another realm in itself": foreign("const list = ['a']; list.push(list); list"),
  "an object of another realm": foreign("({ a: 1.5 })"),
  "a boxed text made plain": Object.setPrototypeOf(new String("x"), Object.prototype),
  "an error made plain": Object.setPrototypeOf(new Error("x"), null),
};

const flags = operators.map(([operator, value], index) => flag(`${index} ${operator} ${JSON.stringify(value)}`, [filter("p", operator, value)]));
// An exception behind something inconclusive is swallowed.
flags.push(flag("swallowed", [filter("none", "exact", "x"), filter("p", "icontains", "zzz")]));
// What is inconclusive lets the next condition decide; where the reference throws nothing does.
const withMore = flags.map(({ key, ...rest }) => flag(`${key}, else on`, [], { ...rest.filters, groups: [...rest.filters.groups, {}] }));
const sample = definitions(...flags, ...withMore);
const reference = openReference({ definitions: JSON.stringify(sample) });
after(() => reference.close());

for (const [name, value] of Object.entries(values)) {
  test(`${name} is answered as posthog-node answers it`, async () => {
    const user = { distinctId: "user-1", personProperties: { p: value } };
    const expected = await reference.evaluate(user);
    const actual = evaluate(sample, user);
    // Where the reference throws it answers nothing; there the flag is unresolved here.
    for (const { key } of sample.flags) {
      if (key in expected.featureFlags) assert.equal(actual.featureFlags[key], expected.featureFlags[key], key);
      else if (key in expected.unresolved) assert.equal(actual.unresolved[key], expected.unresolved[key], key);
      else assert.ok(key in actual.unresolved, key);
    }
  });
}

test("values nested deeper than 500 levels and cycles through getters never break the evaluation", () => {
  const endless = { get next() { return endless; } };
  for (const p of [nested(501), nested(20_000), endless]) {
    const { unresolved } = evaluate(sample, { distinctId: "user-1", personProperties: { p } });
    assert.equal(unresolved['2 exact "x"'], "missing_context");
  }
});

test("values that evaluate flags themselves do not disturb the evaluation", () => {
  let inner;
  const p = { toString: () => { inner = evaluate(sample, { distinctId: "inner", personProperties: { p: "x" } }); return "x"; } };
  const answers = evaluate(sample, { distinctId: "outer", personProperties: { p } });
  assert.equal(inner.featureFlags['2 exact "x"'], true);
  assert.deepEqual(answers.featureFlags, evaluate(sample, { distinctId: "outer", personProperties: { p: { toString: () => "x" } } }).featureFlags);
});

const idFlags = definitions(
  flag("by-id", [filter("distinct_id", "exact", "42")]),
  flag("id-is-number", [filter("distinct_id", "gt", 41)]),
  flag("half", [], { groups: [{ properties: [], rollout_percentage: 50 }] }),
  flag("by-group", [{ ...filter("$group_key", "exact", "42"), type: "group" }], { aggregation_group_type_index: 0 }),
  flag("group-half", [], { groups: [{ properties: [], rollout_percentage: 50 }], aggregation_group_type_index: 0 }),
);
const client = new PostHog("phc_reference", {
  host: "http://127.0.0.1",
  personalApiKey: "phx_reference",
  fetch: async () => new Response(JSON.stringify(idFlags)),
});
after(() => client.shutdown());

for (const id of ["42", 42, 4.5, 42n]) {
  test(`an id of type ${typeof id} is used as posthog-node uses it: ${id}`, async () => {
    const users = [
      { distinctId: id, groups: { company: id } },
      { distinctId: "u", groups: { company: id }, groupProperties: { company: { name: "x" } } },
    ];
    await client.waitForLocalEvaluationReady(10_000);
    for (const { distinctId, ...rest } of users) {
      for (const { key } of idFlags.flags) {
        const options = { ...rest, onlyEvaluateLocally: true, sendFeatureFlagEvents: false };
        // The calls that take a single id: the newer ones take a number for their options.
        const expected = await client.getFeatureFlag(key, distinctId, options);
        assert.equal(evaluateFlag(idFlags, key, { distinctId, ...rest }).value, expected, key);
      }
    }
  });
}
