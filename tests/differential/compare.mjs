/**
 * Asks posthog-node and Flagpost the same and compares. A case is one question: one flag for one
 * user, answered by the reference, by the npm package (WASM) alone and among all flags, and natively.
 */
import { isDeepStrictEqual } from "node:util";
import { evaluate, evaluateFlag, FlagpostError, load } from "flagpost";
import { questionOf } from "./native.mjs";
import { at, openEvaluator } from "./reference.mjs";
import { dependenciesIn } from "./references.mjs";

/**
 * The ways of asking in which a flag's answers differ; `reference` and `flagpost` are the first of them.
 * @typedef {{key?: string, user?: object, how: string[], reference: object, flagpost: object}} Mismatch
 */

/**
 * @param document as `documentOf` makes it
 * @param oracle the native evaluator, or undefined to leave it out
 * @param {(key: string, user: object, reference: object) => void} seen told every answer of the reference
 * @returns {Promise<{cases: number, refused: boolean, unsettled: number, mismatches: Mismatch[]}>} `unsettled`
 *   counts the answers among all flags that were left to the server because the reference's depend on timing
 */
export async function compareDocument(document, oracle, seen = () => {}) {
  const { definitions, contexts, now, users } = document;
  const text = document.text ?? JSON.stringify(definitions);
  const mismatches = [];
  let [cases, unsettled] = [0, 0];
  const timed = orderShows(definitions);
  return at(now, async () => {
    const reference = await openEvaluator({ text, contexts });
    const loaded = tryLoad(text, contexts);
    // One odd flag can keep the reference from loading all of them. Then there is nothing to compare.
    if (!reference) return { cases, refused: true, unsettled, mismatches };
    if (!loaded) return { cases, refused: false, unsettled, mismatches: [{ how: ["load"], reference: { loads: true }, flagpost: { loads: false } }] };
    const options = { now: new Date(now) };
    const native = oracle && (await oracle.answers(questionOf({ text, contexts, now, users })));
    for (const [index, user] of users.entries()) {
      const bulk = await reference.all(user);
      const ours = evaluate(loaded, user, options);
      for (const [place, key] of loaded.flagKeys.entries()) {
        const expected = await reference.one(key, user);
        cases += 1;
        seen(key, user, expected);
        const answers = {
          evaluateFlag: [expected, evaluateFlag(loaded, key, user, options)],
          evaluate: [pick(bulk, key), pick(ours, key)],
          ...(native && { native: [expected, native[index][place]] }),
        };
        const how = Object.keys(answers).filter((way) => !agrees(answers[way][1], answers[way][0]));
        if (timed && how.includes("evaluate") && answers.evaluate[1].unresolved) {
          how.splice(how.indexOf("evaluate"), 1);
          unsettled += 1;
        }
        if (how.length > 0) mismatches.push({ key, user, how, reference: answers[how[0]][0], flagpost: answers[how[0]][1] });
      }
    }
    loaded.free();
    return { cases, refused: false, unsettled, mismatches };
  });
}

/**
 * Whether a dependency's chain lacks the flag that it is about, and another chain has it. Among all
 * flags, which the reference evaluates at once, it then depends on the time hashes take whether the
 * flag's value is known.
 */
export function orderShows(definitions) {
  const dependencies = dependenciesIn(definitions);
  const chained = new Set(dependencies.flatMap(({ chain }) => chain));
  return dependencies.some(({ key, chain }) => !chain.includes(key) && chained.has(key));
}

/** Where the reference throws, an answer without a value is the right one, whatever its reason. */
export function agrees(given, wanted) {
  if (wanted.threw !== undefined) return given.unresolved !== undefined && !("value" in given);
  return isDeepStrictEqual(given, wanted);
}

/** One flag's part of the answers to all flags. */
function pick(answers, key) {
  if (Object.hasOwn(answers.unresolved, key)) return { unresolved: answers.unresolved[key] };
  if (!Object.hasOwn(answers.featureFlags, key)) return { threw: "neither a value nor a reason" };
  const value = answers.featureFlags[key];
  return Object.hasOwn(answers.featureFlagPayloads, key) ? { value, payload: answers.featureFlagPayloads[key] } : { value };
}

function tryLoad(text, evaluationContexts) {
  try {
    return load(text, { evaluationContexts });
  } catch (error) {
    if (error instanceof FlagpostError) return undefined;
    throw error;
  }
}
