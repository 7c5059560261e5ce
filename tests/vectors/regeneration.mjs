/** What posthog-node answers now to the vectors of a file, and what of the file's text that changes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { bulkCases, flagCases, LETTERS, propertyCases, tableCases } from "./cases.mjs";
import { atTime } from "./clock.mjs";
import { getFeatureFlagHash, openEvaluator } from "./evaluator.mjs";
import { openVectors } from "./files.mjs";
import { elementSpans, memberSpan, memberSpans } from "./json-text.mjs";

const CASES = { flags: flagCases, properties: propertyCases, bulk: bulkCases, table: tableCases };
const CHANGES = { flags: flagChanges, properties: propertyChanges, bulk: bulkChanges, table: tableChanges, hashes: hashChanges };
const NOT_ASKED = {
  hazards: "posthog-node itself fails on them or never returns",
  differences: "they describe other SDKs",
};

/**
 * Asks posthog-node again for every expected answer of a file.
 * @returns {Promise<{kind: string, asked: number, notAsked: number, why?: string, text: string,
 *   changes: {id: string, was: any, is: any}[]}>} `text` is the file with today's answers
 */
export async function regenerated(folder, file) {
  const vectors = openVectors(folder, file);
  const { kind, count, text } = vectors;
  if (kind in NOT_ASKED) return { kind, asked: 0, notAsked: count, why: NOT_ASKED[kind], text, changes: [] };
  let batches = [];
  let notAsked = 0;
  if (kind !== "hashes") {
    batches = await askAll(file, CASES[kind](vectors));
    notAsked = batches.flat().filter(({ answers }) => answers === null).length;
  }
  const changes = await CHANGES[kind](vectors, batches);
  const why = notAsked ? 'they expect the reason "any": posthog-node fails on them or never returns' : undefined;
  return { kind, asked: count - notAsked, notAsked, why, text: edited(text, changes), changes };
}

/** For each batch its cases, each with posthog-node's answers, or null where it must not be asked. */
async function askAll(file, batches) {
  const asked = [];
  for (const { definitions, cases } of batches) {
    const evaluate = await openEvaluator(definitions);
    const answered = [];
    for (const item of cases) answered.push({ ...item, answers: item.decided ? null : await ask(file, evaluate, item) });
    asked.push(answered);
  }
  return asked;
}

async function ask(file, evaluate, { id, key, keys = [key], user, now }) {
  try {
    return await atTime(now, async () => {
      const answers = [];
      for (const name of keys) answers.push(await evaluate(name, user));
      return answers;
    });
  } catch (error) {
    throw new Error(`${file}: ${id}: posthog-node has no answer (${error.message}); expect the reason "any", or put it among the hazards`, { cause: error });
  }
}

function flagChanges({ text, json }, batches) {
  const asked = batches.flat();
  return elementSpans(text, begin(text)).flatMap(({ start }, index) => {
    const { id, answers } = asked[index];
    if (answers === null) return [];
    const { note, ...was } = json[index].expected;
    const span = memberSpan(text, start, "expected");
    return same(was, answers[0]) ? [] : [{ id, was, is: answers[0], edits: [{ ...span, text: JSON.stringify(answers[0]) }] }];
  });
}

function propertyChanges({ text, json }, batches) {
  const asked = batches.flat();
  return elementSpans(text, begin(text)).flatMap(({ start }, index) => {
    const { id, answers: [{ value, reason }] } = asked[index];
    const { expected: was, reason: reasonWas } = json[index];
    const is = reason === undefined ? value : "inconclusive";
    if (was === is && reasonWas === reason) return [];
    const members = memberSpans(text, start);
    const expected = members.find(({ name }) => name === "expected");
    const edits = [{ ...expected, text: JSON.stringify(is) + (reason === undefined ? "" : `,"reason":${JSON.stringify(reason)}`) }];
    // The old reason goes, with the comma before it: a vector begins with its id.
    const at = members.findIndex(({ name }) => name === "reason");
    if (at > 0) edits.push({ start: members[at - 1].end, end: members[at].end, text: "" });
    return [{ id, was: reasonWas ?? was, is: reason ?? is, edits }];
  });
}

function bulkChanges({ text, json }, [asked]) {
  const rows = memberSpan(text, begin(text), "rows");
  return elementSpans(text, rows.start).flatMap(({ start }, index) => {
    const [id, was] = json.rows[index];
    const { status, value } = asked[index].answers[0];
    if (status !== "value") throw new Error(`the row ${id}: posthog-node gives no value, and a row has no place for a reason`);
    const [, span] = elementSpans(text, start);
    return same(was, value) ? [] : [{ id, was, is: value, edits: [{ ...span, text: JSON.stringify(value) }] }];
  });
}

function tableChanges({ text, json }, batches) {
  const results = memberSpan(text, begin(text), "results");
  return elementSpans(text, results.start).flatMap((block, index) => {
    const { operator, rows } = json.results[index];
    const letters = rows.map(() => "");
    for (const { keys, answers } of batches[index]) {
      for (const [at, answer] of answers.entries()) letters[keys[at].replace("filter-", "")] += letterOf(answer);
    }
    const spans = elementSpans(text, memberSpan(text, block.start, "rows").start);
    return spans.flatMap((span, at) => {
      if (rows[at] === null || rows[at] === letters[at]) return [];
      const id = `${JSON.stringify(operator)} with the filter ${JSON.stringify(json.filters[at])}`;
      return [{ id, was: rows[at], is: letters[at], edits: [{ ...span, text: JSON.stringify(letters[at]) }] }];
    });
  });
}

function letterOf({ status, value, reason }) {
  const wanted = status === "value" ? { value } : { unresolved: reason };
  const letter = Object.keys(LETTERS).find((name) => isDeepStrictEqual(LETTERS[name], wanted));
  if (letter === undefined) throw new Error(`a table has no letter for ${JSON.stringify(wanted)}`);
  return letter;
}

async function hashChanges({ text, json }) {
  const changes = [];
  for (const [index, { start }] of elementSpans(text, begin(text)).entries()) {
    const { key, bucketing, salt, expected: was } = json[index];
    const is = await getFeatureFlagHash(key, bucketing, salt);
    if (is !== was) changes.push({ id: `${key}.${bucketing}${salt}`, was, is, edits: [{ ...memberSpan(text, start, "expected"), text: String(is) }] });
  }
  return changes;
}

const begin = (text) => text.search(/\S/);

/** Equal as far as JSON can tell. */
function same(left, right) {
  const plain = (value) => (value === undefined ? value : JSON.parse(JSON.stringify(value)));
  return isDeepStrictEqual(plain(left), plain(right));
}

function edited(text, changes) {
  const edits = changes.flatMap((change) => change.edits).sort((one, other) => other.start - one.start);
  return edits.reduce((result, { start, end, text: put }) => result.slice(0, start) + put + result.slice(end), text);
}

/** The text of a file beside the vectors, or null when there is none. */
export function textOf(folder, file) {
  try {
    return readFileSync(join(folder, file), "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}
