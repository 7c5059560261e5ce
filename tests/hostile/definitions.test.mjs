/** Hostile definitions through the npm package: loaded or refused, never a trap, and soon. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag, load } from "flagpost";
import { answered, bytesOf, filter, flag, refused, USER } from "./support.mjs";

const nested = (open, close, depth, inner = "") => open.repeat(depth) + inner + close.repeat(depth);
const on = JSON.stringify(flag("on"));
/** The answer to a flag of definitions given as text; they are freed again, as they may be large. */
function ask(text, key = "on") {
  return answered(() => {
    const loaded = load(bytesOf(text));
    try {
      return evaluateFlag(loaded, key, USER);
    } finally {
      loaded.free();
    }
  });
}

for (const [open, close] of [["[", "]"], ['{"a":', "}"], ['{"type":"OR","values":[', "]}"]]) {
  test(`nesting by ${open} in every place spoils at most what it stands in`, () => {
    for (const depth of [400, 501, 100_000]) {
      const deep = nested(open, close, depth, "1");
      for (const text of [
        `{"unknown":${deep},"flags":[${on}]}`,
        `{"cohorts":{"1":${deep}},"flags":[${on},{"key":"c","active":true,"filters":{"groups":[{"properties":[{"type":"cohort","value":1}]}]}}]}`,
        `{"group_type_mapping":${deep},"flags":[${on}]}`,
        `{"flags":[${on},{"key":"deep","active":true,"filters":${deep}}]}`,
        `{"flags":[${on},{"key":"deep","active":true,"filters":{"groups":[{"properties":[{"key":"plan","value":${deep}}]}]}}]}`,
      ]) {
        assert.deepEqual(ask(text), { value: true });
        answered(() => evaluate(text, USER));
      }
      refused(() => load(deep), "invalid_definitions");
      refused(() => load(deep.slice(0, -1)), "invalid_json");
    }
  });
}

test("a payload nested 5,000 deep is given as JSON", () => {
  const payload = nested("[", "]", 5000, "1");
  const { value, payload: given } = evaluateFlag({ flags: [flag("f", [], { payloads: { true: payload } })] }, "f", USER);
  assert.equal(value, true);
  let inner = given;
  for (let level = 0; level < 5000; level++) inner = inner[0];
  assert.equal(inner, 1);
});

test("bytes that are no UTF-8 are refused, wherever they stand", () => {
  const bytes = bytesOf({ flags: [flag("on")] });
  for (let at = 0; at < bytes.length; at++) {
    for (const byte of [0x80, 0xc3, 0xed, 0xff]) {
      const broken = bytes.slice();
      broken[at] = byte;
      refused(() => load(broken), "invalid_json");
    }
  }
});

test("definitions cut anywhere are refused", () => {
  const text = JSON.stringify({ flags: [flag("é", [filter("plan", "exact", [1.5, null, "\ud800"])])], cohorts: {} });
  const bytes = bytesOf(text);
  for (let end = 1; end < bytes.length; end++) refused(() => load(bytes.slice(0, end)), "invalid_json");
});

test("numbers without end are read as JavaScript reads them", () => {
  for (const number of ["9".repeat(1_000_000), `0.${"0".repeat(1_000_000)}1`, `1e${"9".repeat(1_000_000)}`, "-0", "1e400", "-1e-400"]) {
    const text = `{"flags":[${on},{"key":"n","active":true,"filters":{"groups":[{"properties":[{"key":"n","operator":"lt","value":${number}}],"rollout_percentage":${number}}]}}]}`;
    assert.deepEqual(ask(text), { value: true });
    const answer = evaluateFlag(text, "n", { distinctId: "u", personProperties: { n: 5 } });
    const limit = Number(number);
    assert.equal(answer.value, (Number.isFinite(limit) ? 5 < limit : "5" < String(limit)) && limit > 0, number.slice(0, 20));
  }
});

test("a hundred thousand flags of a 50 MB document are answered", () => {
  const flags = Array.from({ length: 100_000 }, (_, index) => `{"key":"flag-${index}","active":true,"filters":{"groups":[{"properties":[]}]}}`);
  const bytes = bytesOf(`{"flags":[${flags}],"unknown":"${"x".repeat(44_000_000)}"}`);
  assert.ok(bytes.length > 50_000_000);
  const loaded = answered(() => load(bytes));
  assert.equal(loaded.flagKeys.length, 100_000);
  assert.deepEqual(answered(() => evaluateFlag(loaded, "flag-99999", USER)), { value: true });
  assert.equal(Object.keys(evaluate(loaded, USER).featureFlags).length, 100_000);
  loaded.free();
});

test("a document that would take more memory than there is, is refused as too large", () => {
  const text = `{"flags":[${'{"":1},'.repeat(5_000_000)}${on}]}`;
  assert.match(refused(() => load(bytesOf(text)), "invalid_definitions").message, /too large/);
  const spaces = new Uint8Array(300 << 20).fill(0x20);
  assert.match(refused(() => load(spaces), "invalid_definitions").message, /too large/);
});

test("ten megabytes of flags that are none load or are refused", () => {
  for (const item of ["1", "{}", '""', "[]", "[[]]"]) {
    const bytes = bytesOf(`{"flags":[${`${item},`.repeat(10_000_000 / (item.length + 1))}${on}]}`);
    let loaded;
    try {
      loaded = load(bytes);
    } catch (error) {
      assert.equal(error.code, "invalid_definitions", `${item}: ${error.message}`);
      assert.match(error.message, /too large/);
      continue;
    }
    assert.ok(loaded.problems.length <= 101);
    assert.deepEqual(answered(() => evaluateFlag(loaded, "on", USER)), { value: true });
    loaded.free();
  }
});

test("fifty megabytes of text in place of a list are one entry", () => {
  const long = "x".repeat(50_000_000);
  for (const filters of [{ groups: long }, { groups: [{ properties: long }] }, { groups: [{}], multivariate: { variants: long } }]) {
    const text = JSON.stringify({ flags: [flag("on"), { key: "odd", active: true, filters }] });
    assert.deepEqual(ask(text), { value: true });
  }
});

test("cyclic cohorts, cohorts met on 2^60 ways and flags that all depend on each other end", () => {
  const cohort = (...ids) => ({ type: "OR", values: ids.map((value) => ({ type: "cohort", key: "id", value })) });
  const inCohort = (key, value) => flag(key, [{ type: "cohort", key: "id", value }]);
  const cohorts = { ring: cohort("other", "ring"), other: cohort("ring"), 60: { type: "AND", values: [filter("plan", "exact", "pro")] } };
  for (let id = 0; id < 60; id++) cohorts[id] = cohort(id + 1, id + 1);
  for (let id = 1000; id < 50_000; id++) cohorts[id] = cohort(id + 1);
  const keys = Array.from({ length: 300 }, (_, index) => `all-${index}`);
  const all = keys.map((key, index) => flag(key, [{ key: keys[(index + 1) % 300], type: "flag", value: true, dependency_chain: keys }]));
  const up = keys.map((_, index) => flag(`up-${index}`, index === 0 ? [] : Array.from({ length: 2 }, () => ({
    key: `up-${index - 1}`, type: "flag", value: true, dependency_chain: keys.slice(0, index).map((_, below) => `up-${below}`),
  }))));
  const flags = [inCohort("ring", "ring"), inCohort("wide", 0), inCohort("long", 1000), ...all, ...up, flag("on")];
  const { featureFlags, unresolved } = answered(() => evaluate({ flags, cohorts }, USER));
  assert.equal(unresolved.ring, "unsupported_definition");
  assert.equal(unresolved.long, "unsupported_definition");
  assert.equal(featureFlags.wide, true);
  for (const key of keys) assert.equal(unresolved[key], "unresolved_dependency");
  assert.equal(featureFlags["up-299"], true);
  assert.equal(featureFlags.on, true);
});

test("cohorts nested in each other to the last level that is decided do not exhaust the stack", () => {
  const groups = (depth) => JSON.parse(nested('{"type":"OR","values":[', "]}", depth, JSON.stringify(filter("plan", "exact", "pro"))));
  const cohorts = { 198: groups(198), 240: groups(240) };
  const flags = [198, 240].map((id) => flag(`c${id}`, [{ type: "cohort", key: "id", value: id }]));
  const { featureFlags, unresolved } = answered(() => evaluate({ flags, cohorts }, USER));
  assert.equal(featureFlags.c198, true);
  assert.equal(unresolved.c240, "unsupported_definition");
});

test("definitions given as objects of every odd kind are loaded or refused", () => {
  const cyclic = { flags: [] };
  cyclic.flags.push(cyclic);
  let deep = {};
  for (let level = 0; level < 100_000; level++) deep = { deep };
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = new Proxy({}, { get() { throw new Error("get"); } });
  for (const odd of [
    cyclic, { flags: [deep] }, { flags: [1n] }, { flags: [], get cohorts() { throw new Error("mine"); } },
    { toJSON() { throw new Error("mine"); } }, { toJSON: () => undefined }, revoked, hostile, [], new Map(), Symbol("s"), 1n, Number.NaN,
  ]) {
    refused(() => load(odd), "invalid_definitions", "invalid_input");
    refused(() => evaluate(odd, USER), "invalid_definitions", "invalid_input");
  }
  const odd = { flags: [flag("on"), undefined, Symbol("s"), () => {}, Number.NaN, { key: Infinity, active: true, filters: { groups: [{}] } }] };
  assert.deepEqual(answered(() => evaluate(odd, USER).featureFlags), { on: true, Infinity: true });
});

test("infinite numbers are kept among texts that look like their mark", () => {
  const stars = `infinity${"*".repeat(1_000_000)}`;
  const rollout = (key, rollout_percentage) => ({ key, active: true, filters: { groups: [{ rollout_percentage }], payloads: { true: null } } });
  const odd = { flags: [rollout("all", Infinity), rollout("none", -Infinity), flag("text", [filter("plan", "exact", stars)]), flag("null", [filter("plan", "exact", null)])] };
  const { featureFlags } = answered(() => evaluate(odd, { distinctId: "u", personProperties: { plan: stars } }));
  assert.deepEqual(featureFlags, { all: true, none: false, text: true, null: false });
});
