/**
 * Answers vectors through the npm package and compares. This runs inside each runtime, so it imports
 * nothing but the package.
 *
 * A batch is `{definitions: text, cases: [{user, js_values, key | keys, expected: […], now?}]}`, one
 * batch a line. The reply has a line `{runtime}` and then one line a batch: `{run, mismatches}`, where
 * a mismatch is `{item, index, actual}`: which case of the batch, which of its expected answers.
 */
import { evaluate, evaluateFlag, load } from "flagpost";
import { putJsValues } from "./carry.mjs";

export function answerLines(text) {
  const replies = text.split("\n").filter(Boolean).map((line) => answerBatch(JSON.parse(line)));
  return [{ runtime: runtimeName() }, ...replies].map((reply) => `${JSON.stringify(reply)}\n`).join("");
}

/** What the program that runs this calls itself, as `name/version` where it says a version. */
export function runtimeName() {
  const agent = globalThis.navigator?.userAgent;
  if (agent === undefined || agent.startsWith("Node.js")) return `Node.js/${globalThis.process.versions.node}`;
  return agent;
}

function answerBatch({ definitions: text, cases }) {
  const definitions = attempt(() => load(text));
  const reply = { run: 0, mismatches: [] };
  for (const [item, { expected, ...asked }] of cases.entries()) {
    putJsValues(asked.user, asked.js_values);
    const actual = definitions.threw === undefined ? attempt(() => answer(definitions, asked)) : definitions;
    for (const [index, wanted] of expected.entries()) {
      const given = actual.threw === undefined ? actual[index] : actual;
      reply.run += 1;
      if (!agrees(given, wanted)) reply.mismatches.push({ item, index, actual: given });
    }
  }
  if (definitions.threw === undefined) definitions.free();
  return reply;
}

function attempt(action) {
  try {
    return action();
  } catch (error) {
    return { threw: `${error.name}: ${error.message}`.slice(0, 300) };
  }
}

/** The package's answers to a case: one flag, or all of them when the case asks for many. */
function answer(definitions, { user, key, keys, now }) {
  const options = now === undefined ? {} : { now: new Date(now) };
  if (keys === undefined) return [evaluateFlag(definitions, key, user, options)];
  const { featureFlags, unresolved } = evaluate(definitions, user, options);
  return keys.map((name) => (Object.hasOwn(unresolved, name) ? { unresolved: unresolved[name] } : { value: featureFlags[name] }));
}

/**
 * Whether an answer is the expected one; `{unresolved: "any"}` takes every reason, and null stands
 * for a flag that does not exist.
 */
export function agrees(actual, expected) {
  if (expected?.unresolved === "any") return actual?.unresolved !== undefined;
  return same(asJson(actual), asJson(expected));
}

/** What is left in JSON: the files cannot tell a payload `-0` from `0`. */
function asJson(value) {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

/** Deep equality of values that came out of JSON. */
function same(left, right) {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => Object.hasOwn(right, name) && same(left[name], right[name]));
}
