/**
 * Asks posthog-node and @posthog/convex the same, and says by which rules the answers differ. A case is
 * one flag for one user, answered alone and among all flags.
 *
 * A difference is explained by the model: the rules that are left when every rule without which the
 * model still gives @posthog/convex's answer is turned off. Each of those that are left is needed. Where
 * either of two rules would do, the first in the list is kept.
 */
import { isDeepStrictEqual } from "node:util";
import { orderShows } from "./compare.mjs";
import { openConvex } from "./convex-answers.mjs";
import { BULK_RULES, documentOfExample, MODEL_RULES, questionOfExample } from "./convex-differences.mjs";
import { openModel } from "./convex-model.mjs";
import { at, openEvaluator } from "./reference.mjs";

export const UNEXPLAINED = "unexplained";

/**
 * @param document as `documentOf` makes it
 * @param {string[]} rules that may explain a difference
 * @returns {Promise<{cases: number, refused: boolean, differences: Array<{key: string, user: object, way: "alone" | "among all", node: object, convex: object, rules: string[]}>}>}
 */
export async function compareWithConvex(document, rules = MODEL_RULES) {
  const { definitions, contexts, now, users } = document;
  const text = JSON.stringify(definitions);
  return at(now, async () => {
    const reference = await openEvaluator({ text, contexts });
    if (!reference) return { cases: 0, refused: true, differences: [] };
    const convex = openConvex(text);
    const model = modelsOf({ text, contexts });
    const differences = [];
    // Then the time that hashes take decides both answers among all flags.
    const timed = orderShows(definitions);
    let cases = 0;
    for (const user of users) {
      const bulk = { node: await reference.all(user), convex: await convex.all(user) };
      const differ = (key, way, answers, by) => differences.push({ key, user, way, ...answers, rules: by });
      for (const key of convex.keys) {
        cases += 1;
        const alone = { node: reference.keys.includes(key) ? withoutReason(await reference.one(key, user)) : { undecided: true }, convex: await convex.one(key, user) };
        const isModelled = isDeepStrictEqual(await model([], key, user), alone.node) && isDeepStrictEqual(await model(rules, key, user), alone.convex);
        if (!isModelled) differ(key, "alone", alone, [UNEXPLAINED]);
        else if (!isDeepStrictEqual(alone.node, alone.convex)) differ(key, "alone", alone, await explain(model, rules, key, user, alone));
        if (timed) continue;
        const among = { node: pick(bulk.node, key), convex: pick(bulk.convex, key) };
        const rule = bulkRule(definitions, key, alone, among);
        if (rule) differ(key, "among all", among, [rule]);
      }
    }
    return { cases, refused: false, differences };
  });
}

/** @posthog/convex gives no reasons. An exception of either rejects the promise of the call for one flag. */
function withoutReason(answer) {
  if ("value" in answer) return answer;
  return answer.threw === undefined ? { undecided: true } : { threw: true };
}

/** Why the example of a difference does not show it, or undefined. */
export async function faultOf(difference) {
  const { key, way } = questionOfExample(difference);
  const { differences } = await compareWithConvex(documentOfExample(difference));
  const found = differences.find((other) => other.key === key && other.way === way);
  if (!found) return "the answers no longer differ";
  const { node, convex, rules } = found;
  if (!isDeepStrictEqual({ node, convex }, difference.answers)) return `the answers are now ${JSON.stringify({ node, convex })}`;
  return rules.includes(difference.id) ? undefined : `it is explained by ${rules.join(", ")}`;
}

function modelsOf(source) {
  const models = new Map();
  return (rules, key, user) => {
    const name = rules.join();
    if (!models.has(name)) models.set(name, openModel(source, new Set(rules)));
    return models.get(name)(key, user);
  };
}

async function explain(model, rules, key, user, { convex }) {
  let needed = rules;
  for (const rule of rules.toReversed()) {
    const fewer = needed.filter((other) => other !== rule);
    if (isDeepStrictEqual(await model(fewer, key, user), convex)) needed = fewer;
  }
  return needed;
}

function pick(answers, key) {
  if (!answers) return { threw: true };
  if (!Object.hasOwn(answers.featureFlags, key)) return { undecided: true };
  const value = answers.featureFlags[key];
  return Object.hasOwn(answers.featureFlagPayloads, key) ? { value, payload: answers.featureFlagPayloads[key] } : { value };
}

/** What differs only when all flags are asked for at once: undefined if nothing does. */
function bulkRule({ flags }, key, alone, among) {
  if (isDeepStrictEqual(among.node, among.convex)) return undefined;
  if (among.convex.threw) return alone.convex.threw && !alone.node.threw ? undefined : BULK_RULES.exception;
  const isAsAlone = { node: isDeepStrictEqual(among.node, amongAll(alone.node)), convex: isDeepStrictEqual(among.convex, alone.convex) };
  if (isAsAlone.node && isAsAlone.convex) return isDeepStrictEqual(alone.node, alone.convex) ? BULK_RULES.payload : undefined;
  if (flags.filter((flag) => String(flag.key) === key).length > 1) return BULK_RULES.duplicate;
  return UNEXPLAINED;
}

/** What posthog-node gives among all flags: an exception leaves one flag out, a falsy payload is dropped. */
function amongAll(answer) {
  if (answer.threw) return { undecided: true };
  return "payload" in answer && !answer.payload ? { value: answer.value } : answer;
}
