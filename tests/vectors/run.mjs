/**
 * Runs every vector through the built npm package in Node, as a user of the package would.
 *
 *   node tests/vectors/run.mjs [FILE…]
 *
 * The vectors are read from $FLAGPOST_VECTORS, else from ../shared/vectors when that folder is beside
 * the project, else from this folder. A vector gives the context as the evaluator sees it, while the
 * package completes a user first, as posthog-node's client does; where that could change the answer,
 * the expected one is asked of posthog-node's client instead of taken from the file.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { fileURLToPath } from "node:url";
import { evaluate, evaluateFlag, load } from "flagpost";
import { COPY, openVectors, vectorFiles } from "./files.mjs";
import { bulkCases, flagCases, hashCases, hazardCases, propertyCases, tableCases } from "./cases.mjs";
import { completionMatters, referenceAnswer } from "./completion.mjs";

const SHOWN_MISMATCHES = 10;
const CASES = { flags: flagCases, properties: propertyCases, hashes: hashCases, bulk: bulkCases, table: tableCases, hazards: hazardCases };

function vectorFolder() {
  if (process.env.FLAGPOST_VECTORS) return process.env.FLAGPOST_VECTORS;
  const beside = fileURLToPath(new URL("../../../shared/vectors", import.meta.url));
  return existsSync(beside) ? beside : COPY;
}

/** Whether an answer of the package is the expected one; `{unresolved: "any"}` takes every reason. */
function agrees(actual, expected) {
  if (expected?.unresolved === "any") return actual?.unresolved !== undefined;
  return isDeepStrictEqual(asJson(actual), asJson(expected));
}

/** What is left in JSON: the files cannot tell a payload `-0` from `0`. */
function asJson(answer) {
  return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer));
}

/** The package's answers to a case: one flag, or all of them when the case asks for many. */
function answer(definitions, { user, key, keys, now }) {
  const options = now === undefined ? {} : { now: new Date(now) };
  if (keys === undefined) return [evaluateFlag(definitions, key, user, options)];
  const answers = evaluate(definitions, user, options);
  return keys.map((name) => (name in answers.unresolved ? { unresolved: answers.unresolved[name] } : { value: answers.featureFlags[name] }));
}

async function runFile(folder, file) {
  const vectors = openVectors(folder, file);
  const result = { file, count: vectors.count, run: 0, asked: 0, mismatches: [] };
  if (vectors.kind === "differences") return { ...result, note: "describes other SDKs, nothing to run" };
  for (const { definitions: text, cases } of CASES[vectors.kind](vectors)) {
    const definitions = load(text);
    for (const item of cases) {
      let expected = item.keys ? item.expected : [item.expected];
      if (!item.keys && !item.decided && completionMatters(text, item.user)) {
        expected = [await referenceAnswer(text, item)];
        result.asked += 1;
      }
      const actual = answer(definitions, item);
      for (const [index, wanted] of expected.entries()) {
        result.run += 1;
        if (!agrees(actual[index], wanted)) result.mismatches.push({ id: item.id, flag: item.keys?.[index] ?? item.key, wanted, actual: actual[index] });
      }
    }
    definitions.free();
  }
  if (result.run !== vectors.count) throw new Error(`${file}: holds ${vectors.count} expected answers, ${result.run} were compared`);
  return result;
}

const folder = vectorFolder();
const only = process.argv.slice(2);
const files = only.length > 0 ? only : vectorFiles(folder);
if (files.length === 0) throw new Error(`no vector files in ${folder}; set FLAGPOST_VECTORS to the folder that holds them`);
if (folder === COPY) {
  const index = JSON.parse(readFileSync(join(COPY, "index.json"), "utf8"));
  for (const name of only.length > 0 ? [] : Object.keys(index)) if (!files.includes(name)) throw new Error(`${name} is in index.json, but not in the folder`);
}

const total = { run: 0, asked: 0, mismatches: 0 };
for (const file of files) {
  const { run, asked, mismatches, note } = await runFile(folder, file);
  const details = [asked && `${asked} asked of posthog-node`, note].filter(Boolean);
  console.log(`${file.padEnd(34)} ${String(run).padStart(7)} answers, ${mismatches.length} differ${details.length ? ` (${details.join(", ")})` : ""}`);
  for (const mismatch of mismatches.slice(0, SHOWN_MISMATCHES)) console.log(`    ${JSON.stringify(mismatch)}`);
  if (mismatches.length > SHOWN_MISMATCHES) console.log(`    and ${mismatches.length - SHOWN_MISMATCHES} more`);
  total.run += run;
  total.asked += asked;
  total.mismatches += mismatches.length;
}
console.log(`vectors through the npm package: ${files.length} files, ${total.run} answers, ${total.mismatches} differ`);
process.exitCode = total.mismatches === 0 && total.run > 0 ? 0 : 1;
