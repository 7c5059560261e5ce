/** Vector files as batches of cases with their expected answers, ready to be sent into a runtime. */
import { bulkCases, flagCases, hashCases, hazardCases, propertyCases, tableCases } from "./cases.mjs";
import { jsValuesOf } from "./carry.mjs";
import { completionMatters, referenceAnswer } from "./completion.mjs";
import { openVectors } from "./files.mjs";

const CASES = { flags: flagCases, properties: propertyCases, hashes: hashCases, bulk: bulkCases, table: tableCases, hazards: hazardCases };

/**
 * The batches of a file. A vector gives the context as the evaluator sees it, while the package
 * completes a user first, as posthog-node's client does; where that could change the answer, the
 * expected one is asked of posthog-node's client instead of taken from the file.
 * @returns {Promise<{file: string, count: number, asked: number, note?: string,
 *   batches: {definitions: string, cases: {id: string, user: object, keys?: string[], key?: string, expected: object[], now?: string}[]}[]}>}
 */
export async function prepare(folder, file) {
  const vectors = openVectors(folder, file);
  const prepared = { file, count: vectors.count, asked: 0, batches: [] };
  if (vectors.kind === "differences") return { ...prepared, count: 0, note: "describes other SDKs, nothing to run" };
  for (const { definitions, cases } of CASES[vectors.kind](vectors)) {
    const batch = { definitions, cases: [] };
    for (const item of cases) {
      const ask = !item.keys && !item.decided && completionMatters(definitions, item.user);
      if (ask) prepared.asked += 1;
      const expected = item.keys ? item.expected : [ask ? await referenceAnswer(definitions, item) : item.expected];
      batch.cases.push({ ...item, expected });
    }
    prepared.batches.push(batch);
  }
  const expected = prepared.batches.flatMap((batch) => batch.cases).reduce((sum, item) => sum + item.expected.length, 0);
  if (expected !== vectors.count) throw new Error(`${file}: holds ${vectors.count} expected answers, ${expected} were prepared`);
  return prepared;
}

/** Batches as lines of JSON, for `answerLines` of answer.mjs. */
export function linesOf(batches) {
  return batches.map(({ definitions, cases }) => `${JSON.stringify({ definitions, cases: cases.map(carried) })}\n`).join("");
}

function carried({ user, key, keys, expected, now }) {
  return { user, js_values: jsValuesOf(user), key, keys, expected, now };
}
