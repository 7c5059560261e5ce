import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { agrees } from "./compare.mjs";
import { count, emptyCoverage, gaps, merge } from "./coverage.mjs";
import { documentOf } from "./documents.mjs";
import { isComparable } from "./malform.mjs";
import { minimise, vectorOf } from "./minimise.mjs";

test("a seed and a number make the same document again, and another number another", () => {
  const document = (seed, number) => inspect(documentOf(seed, number), { depth: Infinity });
  assert.equal(document(3, 14), document(3, 14));
  assert.notEqual(document(3, 14), document(3, 17));
  assert.notEqual(document(3, 14), document(4, 14));
});

test("an answer agrees with the same answer only", () => {
  assert.ok(agrees({ value: true, payload: { a: 1 } }, { value: true, payload: { a: 1 } }));
  for (const given of [{ value: false }, { value: true }, { value: true, payload: { a: "1" } }, { unresolved: "missing_context" }]) {
    assert.ok(!agrees(given, { value: true, payload: { a: 1 } }), JSON.stringify(given));
  }
  assert.ok(!agrees({ unresolved: "missing_context" }, { unresolved: "unsupported_definition" }));
});

test("where the reference throws any reason will do, and no value", () => {
  assert.ok(agrees({ unresolved: "unsupported_definition" }, { threw: "TypeError" }));
  assert.ok(!agrees({ value: false }, { threw: "TypeError" }));
});

test("cycles and the names of every object are left out, because posthog-node does not return or is documented to differ", () => {
  const flag = (key, ...chain) => ({ key, filters: { groups: [{ properties: [{ type: "flag", key: chain[0], dependency_chain: chain }] }] } });
  assert.ok(isComparable({ flags: [flag("a"), flag("b", "a")] }));
  assert.ok(!isComparable({ flags: [flag("a", "b"), flag("b", "a")] }));
  assert.ok(isComparable({ flags: [{ key: "constructor" }] }));
  assert.ok(!isComparable({ flags: [{ key: "__proto__" }] }));
  assert.ok(!isComparable({ flags: [{ key: "constructor" }, flag("a", "constructor")] }));
  const inside = (id) => ({ type: "AND", values: [{ type: "cohort", value: id }] });
  assert.ok(isComparable({ flags: [], cohorts: { 1: inside(2), 2: { type: "AND", values: [] } } }));
  assert.ok(!isComparable({ flags: [], cohorts: { 1: inside(2), 2: inside("1") } }));
  assert.ok(isComparable({ flags: [], cohorts: { 1: inside("valueOf"), valueOf: {} } }));
  assert.ok(!isComparable({ flags: [], cohorts: { 1: inside("valueOf") } }));
});

test("a mismatch is made as small as it stays one", async () => {
  // Wrong whenever some filter compares a plan with "pro" and the user has a plan.
  const document = documentOf(9, 4);
  document.definitions.flags = [{ key: "other" }, { key: "wrong", active: true, filters: { groups: [{ properties: [{ key: "x" }, { key: "plan", value: "pro", type: "person" }], rollout_percentage: 100 }] } }];
  const user = { distinctId: "user-77", personProperties: { plan: "professional", x: [1, { y: 2 }] }, groups: { company: "acme" } };
  const mismatch = { key: "wrong", user, how: ["evaluate"], reference: { value: true }, flagpost: { value: false } };
  const mismatchOf = async ({ definitions, users: [candidate] }) => {
    const flag = definitions.flags?.find((flag) => flag?.key === "wrong");
    const filters = flag?.filters?.groups?.flatMap?.((group) => group?.properties ?? []) ?? [];
    const wrong = Array.isArray(flag?.filters?.groups?.[0]?.properties) && filters.some((filter) => filter?.key === "plan" && filter.value === "pro") && candidate.personProperties?.plan;
    return wrong ? { ...mismatch, user: candidate } : undefined;
  };
  const small = await minimise(document, mismatch, mismatchOf);
  assert.deepEqual(small.document.definitions, { flags: [{ key: "wrong", filters: { groups: [{ properties: [{ key: "plan", value: "pro" }] }] } }] });
  assert.deepEqual(small.document.users, [{ personProperties: { plan: true } }]);
  const vector = JSON.parse(vectorOf(small.document, small.mismatch, "an id"));
  assert.equal(vector.flag_key, "wrong");
  assert.deepEqual(vector.expected, { status: "value", value: true });
});

test("a run that leaves something out says what", () => {
  const coverage = emptyCoverage();
  const definitions = { flags: [{ key: "f", active: true, filters: { groups: [{ properties: [{ key: "p", operator: "is_set" }] }] } }] };
  count(coverage, { topic: "filters", definitions }, "f", { personProperties: { p: "pro" } }, { value: true });
  const missing = gaps(merge(emptyCoverage(), coverage));
  assert.ok(!missing.includes("operator is_set never met word"));
  assert.ok(!missing.includes("operator is_set never had outcome t"));
  assert.ok(missing.includes("operator is_set never had outcome m"));
  assert.ok(missing.includes("operator semver_tilde never met null"));
  assert.ok(missing.includes("no flag with early exit"));
});
