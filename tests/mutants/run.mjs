/**
 * The mutation test: does the differential test notice an evaluator that is wrong in a single rule?
 *
 *   node tests/mutants/run.mjs [--cases N] [--seed N]
 *
 * Every mutant answers the same cases natively until an answer differs from posthog-node's, or until ways
 * of asking that must agree do not: the oracle asks each flag alone, all together, with no more of the user
 * than a flag says it reads, and of flags selected after compiling. A mutant that survives fails the run, and
 * so does the unchanged evaluator if it differs.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { agrees } from "../differential/compare.mjs";
import { documentOf } from "../differential/documents.mjs";
import { openOracle, questionOf } from "../differential/native.mjs";
import { at, openEvaluator } from "../differential/reference.mjs";
import { buildMutants } from "./build.mjs";
import { MUTANTS } from "./mutants.mjs";

const LEAST_MUTANTS = 130;
const AT_ONCE = 32;
/** Milliseconds for so many documents: an evaluator that does not end is wrong as well. */
const PATIENCE = 60_000;
const { values } = parseArgs({ options: { cases: { type: "string", default: "80000" }, seed: { type: "string", default: "7" } } });

/** Documents with posthog-node's answers: for every user, for every flag in order. */
async function answeredDocuments(seed, cases) {
  const documents = [];
  for (let number = 0, asked = 0; asked < cases; number += 1) {
    const document = documentOf(seed, number);
    const text = JSON.stringify(document.definitions);
    await at(document.now, async () => {
      const reference = await openEvaluator({ text, contexts: document.contexts });
      if (!reference) return;
      const expected = [];
      for (const user of document.users) expected.push(await Promise.all(reference.keys.map((key) => reference.one(key, user))));
      documents.push({ question: questionOf({ ...document, text }), expected });
      asked += expected.flat().length;
    });
  }
  return documents;
}

/** The first case whose answer differs: its number and both answers; undefined if all agree. */
async function firstDifference(program, number, documents) {
  const oracle = openOracle(program, { ...process.env, FLAGPOST_MUTANT: String(number) });
  let asked = 0;
  try {
    for (let from = 0; from < documents.length; from += AT_ONCE) {
      const some = documents.slice(from, from + AT_ONCE);
      const alarm = setTimeout(() => oracle.kill(), PATIENCE);
      const answers = await Promise.all(some.map(({ question }) => oracle.answers(question).catch((error) => error)));
      clearTimeout(alarm);
      for (const [place, { expected }] of some.entries()) {
        if (answers[place] instanceof Error) return { asked: asked + 1, reference: "answers", mutant: answers[place].message };
        for (const [user, wanted] of expected.entries()) {
          const given = answers[place][user];
          // A mutant may leave flags out, or keep flags that should have been left out.
          if (given.length !== wanted.length) return { asked: asked + 1, reference: `${wanted.length} flags`, mutant: `${given.length} flags` };
          const differs = wanted.findIndex((answer, flag) => !agrees(given[flag], answer));
          if (differs >= 0) return { asked: asked + differs + 1, reference: wanted[differs], mutant: given[differs] };
          asked += wanted.length;
        }
      }
    }
  } finally {
    oracle.kill();
  }
}

console.warn = () => {};
const program = buildMutants(MUTANTS);
const documents = await answeredDocuments(Number(values.seed), Number(values.cases));
const cases = documents.reduce((sum, { expected }) => sum + expected.flat().length, 0);
const survivors = [];
const unchanged = await firstDifference(program, 0, documents);
if (unchanged) console.log(`the unchanged evaluator differs: ${JSON.stringify(unchanged)}`);
const results = new Array(MUTANTS.length);
const waiting = MUTANTS.keys();
await Promise.all(Array.from({ length: availableParallelism() }, async () => {
  for (const index of waiting) results[index] = await firstDifference(program, index + 1, documents);
}));
for (const [index, [rule]] of MUTANTS.entries()) {
  const found = results[index];
  if (!found) survivors.push(rule);
  console.log(`${found ? `killed by case ${String(found.asked).padStart(6)}` : "SURVIVED            "}  ${rule}`);
}
console.log(`mutants: ${MUTANTS.length} rules broken one at a time, ${MUTANTS.length - survivors.length} killed, ${survivors.length} survived (${cases} cases)`);
process.exitCode = survivors.length === 0 && !unchanged && MUTANTS.length >= LEAST_MUTANTS && cases > 0 ? 0 : 1;
