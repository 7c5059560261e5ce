/** Hostile users: every one has an answer, or is refused by name; nothing breaks off or runs on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag, load } from "flagpost";
import { answered, assertAlive, bytesOf, filter, flag, refused } from "./support.mjs";

const OPERATORS = ["exact", "is_not", "is_set", "is_not_set", "icontains", "not_icontains", "starts_with", "ends_with",
  "gt", "lte", "is_date_after", "is_date_before", "semver_gt", "semver_caret", "regex", "not_regex"];
const loaded = load(bytesOf({
  flags: [
    ...OPERATORS.map((operator) => flag(operator, [filter("p", operator, operator.includes("regex") ? "^x+$" : "x")])),
    flag("of-list", [filter("p", "exact", ["a", "b"])]),
    flag("by-group", [{ ...filter("p", "exact", "x"), type: "group" }], { aggregation_group_type_index: 0 }),
  ],
  group_type_mapping: { 0: "company" },
}));

const ask = (p, more = {}) => evaluate(loaded, { distinctId: "u", personProperties: { p }, ...more });

/** Every flag has either a value or a reason. */
function complete({ featureFlags, unresolved }) {
  const keys = [...Object.keys(featureFlags), ...Object.keys(unresolved)].sort();
  assert.deepEqual(keys, [...loaded.flagKeys].sort());
}

const nested = (depth, wrap) => {
  let value = "x";
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
};
const shared = (depth, wrap) => nested(depth, (inner) => wrap(inner, inner));
const cycle = {};
Object.assign(cycle, { a: cycle, b: [cycle, cycle] });
const ring = ["x"];
ring.push(ring, ring);
const { proxy: revoked, revoke } = Proxy.revocable([], {});
revoke();
const hostile = new Proxy({}, { get() { throw new Error("get"); }, ownKeys() { throw new Error("ownKeys"); }, getPrototypeOf() { throw new Error("prototype"); } });

const values = {
  "lists nested 100,000 deep": nested(100_000, (inner) => [inner]),
  "objects nested 100,000 deep": nested(100_000, (a) => ({ a })),
  "an object that holds itself twice": cycle,
  "a list that holds itself twice": ring,
  "a revoked proxy": revoked,
  "a proxy that throws whatever is asked": hostile,
  "a proxy inside a list": ["x", hostile, revoked],
  "a getter that throws": { get x() { throw new Error("mine"); } },
  "a getter that throws something that is no error": [{ get x() { throw undefined; } }],
  "a toString that gives no text": { toString: () => ({}) },
  "a length that lies": new Proxy([], { get: (list, key) => (key === "length" ? Number.NaN : list[key]) }),
  "a bigint of a thousand digits": 10n ** 1000n,
  "NaN": Number.NaN,
  "Infinity": Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
  "-0": -0,
  "the largest number": Number.MAX_VALUE,
  "an invalid date": new Date(Number.NaN),
  "an invalid date of another prototype": Object.setPrototypeOf({}, Date.prototype),
  "lone surrogates": "\udc00x\ud800",
  "an object with keys of lone surrogates": { "\ud800": 1, "\udc00": 2 },
  "typed arrays": new Float64Array([1, Number.NaN]),
  "a shared buffer": new SharedArrayBuffer(8),
  "a class instance": new (class Account { #secret = 1; get x() { return this.#secret; } })(),
  "a list of another class": class extends Array {}.from(["x"]),
  "an object without a prototype": Object.assign(Object.create(null), { x: 1 }),
  "a symbol": Symbol("s"),
  "a function": () => {},
  "a Map of itself": (() => { const map = new Map(); return map.set(map, map); })(),
  "a generator": (function* endless() { for (;;) yield 1; })(),
  "a million entries": Array.from({ length: 1_000_000 }, (_, index) => String(index)),
  "a million holes": Array(1_000_000),
  "a hundred thousand members": Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index])),
  "a text of 4 MB that is not ASCII": "é".repeat(2 * 1024 * 1024),
  "a text of 4 MB of control characters": "\u0001".repeat(4 * 1024 * 1024),
};
for (const [name, value] of Object.entries(values)) {
  test(`${name} as a property: every flag has an answer`, () => {
    complete(answered(() => ask(value)));
    const ofGroup = { distinctId: "u", groups: { company: "acme" }, groupProperties: { company: { p: value } } };
    answered(() => evaluateFlag(loaded, "by-group", ofGroup));
  });
}

test("odd values have the answers they should", () => {
  const million = { distinctId: "u", personProperties: { p: values["a million entries"] } };
  assert.deepEqual(evaluateFlag(loaded, "exact", million), { value: false });
  const long = { distinctId: "u", personProperties: { p: "x".repeat(64 * 1024 * 1024) } };
  assert.deepEqual(answered(() => evaluateFlag(loaded, "starts_with", long)), { value: true });
  assert.deepEqual(answered(() => evaluateFlag(loaded, "exact", long)), { value: false });
  assert.equal(ask(values["a getter that throws"]).featureFlags.is_set, true);
  assert.equal(ask(values["a getter that throws"]).unresolved.exact, "missing_context");
  assert.equal(ask(values["a revoked proxy"]).unresolved.icontains, "unsupported_definition");
  assert.equal(ask(["x", "x"]).featureFlags.starts_with, true);
});

const large = {
  "a list with four thousand million holes": Array(4_000_000_000),
  "such a list deep inside": nested(120, (inner) => [inner, Array(4_000_000_000)]),
  "five million entries": Array(5_000_000).fill(1),
  "2^60 values made of sixty lists": shared(60, (a, b) => [a, b]),
  "2^60 values made of sixty objects": shared(60, (a, b) => ({ a, b })),
  "2^150 values nested too deep": shared(150, (a, b) => [a, b]),
  "a proxy of a list without end": new Proxy([], { get: (list, key) => (key === "length" ? 2 ** 32 - 1 : list[key]) }),
  "a text of 100 MB": "x".repeat(100_000_000),
  "a list of large texts": Array(100).fill("x".repeat(1_000_000)),
};
for (const [name, value] of Object.entries(large)) {
  test(`${name} is refused with the property's name`, () => {
    assert.match(refused(() => ask(value), "invalid_user").message, /too large at "p"/);
  });
}

test("ids and keys of groups may be giant, and beyond the limit are refused by name", () => {
  const long = "x".repeat(20_000_000);
  assert.deepEqual(answered(() => evaluateFlag(loaded, "is_set", { distinctId: long, personProperties: { p: 1 } })), { value: true });
  const giant = "x".repeat(100_000_000);
  assert.match(refused(() => ask("x", { distinctId: giant }), "invalid_user").message, /distinctId/);
  assert.match(refused(() => ask("x", { groups: { company: giant } }), "invalid_user").message, /company/);
});

test("a property that no flag reads costs nothing", () => {
  const user = { distinctId: "u", personProperties: { p: "x", other: Array(4_000_000_000), hostile, shared: large["2^60 values made of sixty lists"] } };
  complete(answered(() => evaluate(loaded, user)));
});

test("members of the user that are proxies or throw have their own errors, and nothing is left half-way", () => {
  for (const user of [
    { distinctId: "u", personProperties: revoked },
    { distinctId: "u", personProperties: { get p() { throw new RangeError("mine"); } } },
    { distinctId: "u", groups: { company: { toString() { throw new RangeError("mine"); } } } },
    revoked,
  ]) {
    assert.throws(() => evaluate(loaded, user), (error) => !(error instanceof WebAssembly.RuntimeError));
    assertAlive();
  }
});

test("properties, keys and variants named by half of a surrogate pair are what they are", () => {
  const odd = {
    flags: [
      flag("\ud800", [filter("\udc00", "exact", "x")]),
      flag("\ud801", [], { multivariate: { variants: [{ key: "\udfff", rollout_percentage: 100 }] }, payloads: { "\udfff": '"p"' } }),
      flag("\ufffd"),
    ],
  };
  const user = (key) => ({ distinctId: "u", personProperties: { [key]: "x" } });
  assert.deepEqual(load(odd).flagKeys, ["\ud800", "\ud801", "\ufffd"]);
  assert.deepEqual(evaluateFlag(odd, "\ud800", user("\udc00")), { value: true });
  assert.deepEqual(evaluateFlag(odd, "\ud800", user("\ufffd")), { unresolved: "missing_context" });
  assert.deepEqual(evaluateFlag(odd, "\ud801", user("x")), { value: "\udfff", payload: "p" });
});

test("a recursion that is all but exhausted is reported, and the next call works", () => {
  const dive = () => {
    try {
      return dive() ?? evaluate(loaded, { distinctId: "u", personProperties: { p: "x" } });
    } catch (error) {
      return error instanceof RangeError || error.code === "trap" ? undefined : error;
    }
  };
  complete(dive());
  assertAlive();
});
