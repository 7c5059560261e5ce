/** What the tests of hostile input share. */
import assert from "node:assert/strict";
import { evaluate, evaluateFlag, FlagpostError, load } from "flagpost";

export const filter = (key, operator, value) => ({ key, operator, value, type: "person" });

export function flag(key, properties = [], more = {}) {
  return { key, active: true, filters: { groups: [{ properties, rollout_percentage: 100 }], ...more } };
}

export const bytesOf = (value) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

export const USER = { distinctId: "user-1", personProperties: { plan: "pro" } };

const good = load(bytesOf({ flags: [flag("pro", [filter("plan", "exact", "pro")]), flag("free", [filter("plan", "exact", "free")])] }));

/** What was loaded before, and what is loaded anew, both still answer. */
export function assertAlive() {
  assert.deepEqual(evaluate(good, USER).featureFlags, { pro: true, free: false });
  assert.deepEqual(evaluateFlag(bytesOf({ flags: [flag("on"), { unique: Math.random() }] }), "on", USER), { value: true });
}

/** The error of work that must fail with a FlagpostError of one of these codes; never a trap. */
export function refused(work, ...codes) {
  let error;
  try {
    work();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error !== undefined, "it was not refused");
  assert.ok(error instanceof FlagpostError, `not a FlagpostError: ${String(error).slice(0, 200)}`);
  assert.ok(codes.includes(error.code), `${error.code}: ${error.message.slice(0, 200)}`);
  assertAlive();
  return error;
}

/** The result of work that must not fail. */
export function answered(work) {
  const result = work();
  assertAlive();
  return result;
}
