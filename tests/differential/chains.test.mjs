/**
 * Dependencies whose own chain lacks the flag that they are about. PostHog sends none, and then what
 * was evaluated earlier decides: posthog-node is asked here with Flagpost beside it.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { evaluate } from "flagpost";
import { compareDocument, orderShows } from "./compare.mjs";
import { buildOracle, openOracle } from "./native.mjs";

const oracle = openOracle(buildOracle());
after(() => oracle.close());

const flag = (key, conditions, more = {}) => ({ key, active: true, filters: { groups: conditions }, ...more });
const dependsOn = (key, value, ...chain) => ({ properties: [{ type: "flag", key, value, dependency_chain: chain }] });
const isIn = (cohort) => ({ properties: [{ type: "cohort", value: cohort }] });
const [a, b] = [flag("a", []), flag("b", [])];
const elsewhere = flag("a", [], { evaluation_contexts: ["ios"] });

/** A name to definitions, the value of flag "f" asked for alone, and evaluation contexts. */
const CASES = {
  "a flag of an earlier chain is known": [{ flags: [a, b, flag("f", [dependsOn("a", true, "a"), dependsOn("a", false, "b")])] }, true],
  "a flag of no chain is not": [{ flags: [a, b, flag("f", [dependsOn("a", true, "b"), dependsOn("a", false, "b")])] }, false],
  "nor one that the evaluation contexts left out": [{ flags: [elsewhere, b, flag("f", [dependsOn("a", false, "b")])] }, false, ["web"]],
  "which is known once a chain had it": [{ flags: [elsewhere, b, flag("f", [dependsOn("a", true, "a"), dependsOn("a", false, "b")])] }, true, ["web"]],
  "a cohort is looked at again when more is known": [
    { flags: [a, b, flag("f", [isIn("1"), dependsOn("a", true, "a"), isIn("1")])], cohorts: { 1: { type: "AND", values: dependsOn("a", false, "b").properties } } },
    true,
  ],
  "so is a flag that had no value": [
    { flags: [a, b, flag("g", [{ properties: [{ key: "gone", value: 1 }] }, dependsOn("a", false, "b")]), flag("f", [dependsOn("g", true, "g"), dependsOn("a", true, "a"), dependsOn("g", true, "g")])] },
    true,
  ],
};

for (const [name, [definitions, value, contexts]] of Object.entries(CASES)) {
  test(name, async () => {
    const answers = new Map();
    const document = { definitions, contexts, now: 0, users: [{ distinctId: "u" }] };
    const { cases, mismatches } = await compareDocument(document, oracle, (key, _user, answer) => answers.set(key, answer));
    assert.deepEqual(answers.get("f"), { value });
    assert.ok(cases >= 2);
    assert.deepEqual(mismatches, []);
  });
}

test("among all flags such a dependency is left to the server, because posthog-node's answer depends on timing", () => {
  const definitions = { flags: [a, flag("other", [dependsOn("a", true, "a")]), flag("f", [dependsOn("a", false, "other")]), flag("g", [dependsOn("a", true, "other")])] };
  assert.ok(orderShows(definitions));
  // `a` is false: whether that is known decides f, and does not decide g.
  assert.deepEqual(evaluate(definitions, { distinctId: "u" }), { featureFlags: { a: false, other: false, g: false }, featureFlagPayloads: {}, unresolved: { f: "unresolved_dependency" } });
  const orderly = { flags: [a, flag("f", [dependsOn("a", false, "a")])] };
  assert.ok(!orderShows(orderly));
  assert.deepEqual(evaluate(orderly, { distinctId: "u" }).featureFlags, { a: false, f: true });
});
