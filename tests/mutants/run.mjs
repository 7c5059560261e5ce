/**
 * The mutation test: does the differential test notice an evaluator that is wrong in a single rule?
 *
 *   node tests/mutants/run.mjs [--cases N] [--seed N]
 *
 * Every mutant answers the same cases natively until an answer differs from posthog-node's. A mutant
 * that survives fails the run, and so does the unchanged evaluator if it differs.
 */
import { parseArgs } from "node:util";
import { agrees } from "../differential/compare.mjs";
import { documentOf } from "../differential/documents.mjs";
import { openOracle } from "../differential/native.mjs";
import { at, openEvaluator } from "../differential/reference.mjs";
import { buildMutants } from "./build.mjs";
import { MUTANTS } from "./mutants.mjs";

const LEAST_MUTANTS = 30;
const { values } = parseArgs({ options: { cases: { type: "string", default: "40000" }, seed: { type: "string", default: "7" } } });

/** Documents with posthog-node's answers: for every user, for every flag in order. */
async function answeredDocuments(seed, cases) {
  const documents = [];
  for (let number = 0, asked = 0; asked < cases; number += 1) {
    const document = documentOf(seed, number);
    const text = JSON.stringify(document.definitions);
    await at(document.now, async () => {
      const reference = await openEvaluator({ text, contexts: document.contexts });
      if (!reference) return;
      const keys = keysInOrder(document.definitions.flags, reference.keys);
      const expected = [];
      for (const user of document.users) expected.push(await Promise.all(keys.map((key) => reference.one(key, user))));
      documents.push({ ...document, text, keys, expected });
      asked += keys.length * document.users.length;
    });
  }
  return documents;
}

/** The keys of the flags in the order of the definitions, which a JavaScript object does not keep. */
function keysInOrder(flags, kept) {
  return [...new Set(flags.map((flag) => String(flag.key)))].filter((key) => kept.includes(key));
}

/** The number of the first case whose answer differs, with the answers; undefined if all agree. */
async function firstDifference(program, number, documents) {
  const oracle = openOracle(program, [], { ...process.env, FLAGPOST_MUTANT: String(number) });
  let asked = 0;
  try {
    for (const document of documents) {
      // A mutant may keep flags that the evaluator leaves out, or the other way round: that differs, too.
      const answers = await oracle.answers(document);
      for (const [user, expected] of document.expected.entries()) {
        if (answers[user].length !== expected.length) return { asked: asked + 1, reference: `${expected.length} flags`, mutant: `${answers[user].length} flags` };
        for (const [place, wanted] of expected.entries()) {
          asked += 1;
          if (!agrees(answers[user][place], wanted)) return { asked, reference: wanted, mutant: answers[user][place] };
        }
      }
    }
  } finally {
    oracle.close();
  }
}

console.warn = () => {};
const program = buildMutants(MUTANTS);
const documents = await answeredDocuments(Number(values.seed), Number(values.cases));
const cases = documents.reduce((sum, { expected }) => sum + expected.flat().length, 0);
const survivors = [];
const unchanged = await firstDifference(program, 0, documents);
if (unchanged) console.log(`the unchanged evaluator differs: ${JSON.stringify(unchanged)}`);
for (const [index, [rule]] of MUTANTS.entries()) {
  const found = await firstDifference(program, index + 1, documents);
  if (!found) survivors.push(rule);
  console.log(`${found ? `killed by case ${String(found.asked).padStart(6)}` : "SURVIVED            "}  ${rule}`);
}
console.log(`mutants: ${MUTANTS.length} rules broken one at a time, ${MUTANTS.length - survivors.length} killed, ${survivors.length} survived (${cases} cases)`);
process.exitCode = survivors.length === 0 && !unchanged && MUTANTS.length >= LEAST_MUTANTS && cases > 0 ? 0 : 1;
