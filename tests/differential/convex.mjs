/**
 * Where @posthog/convex answers differently from posthog-node: the documents of the differential test,
 * asked of both, and every difference put down to the rules that make it.
 *
 *   node tests/differential/convex.mjs [--cases N] [--seed N]
 *   node tests/differential/convex.mjs --table      the table of docs/posthog-convex.md
 *
 * Fails when a difference has no rule, or when the example of a rule does not show it.
 */
import { parseArgs } from "node:util";
import { PINNED_CONVEX } from "./convex-answers.mjs";
import { compareWithConvex, faultOf, UNEXPLAINED } from "./convex-compare.mjs";
import { DIFFERENCES, documentationTable } from "./convex-differences.mjs";
import { measure } from "./convex-measure.mjs";
import { minimise } from "./minimise.mjs";
import { PINNED } from "./reference.mjs";

const SHOWN_UNEXPLAINED = 3;

async function main() {
  const { values } = parseArgs({ options: { cases: { type: "string", default: "20000" }, seed: { type: "string", default: "1" }, table: { type: "boolean" } } });
  if (values.table) return console.log(documentationTable().join("\n"));
  const [cases, seed] = [wholeNumber("--cases", values.cases), wholeNumber("--seed", values.seed)];
  // posthog-node warns of flags that it cannot decide locally, which here is the point.
  console.warn = () => {};
  const started = performance.now();
  const counts = await measure({ seed, cases });
  const faults = [];
  for (const difference of DIFFERENCES) {
    const fault = await faultOf(difference);
    if (fault) faults.push(`the example of ${difference.id} fails: ${fault}`);
  }

  const share = (part, whole) => `${((100 * part) / Math.max(whole, 1)).toFixed(1)} %`;
  console.log(`@posthog/convex ${PINNED_CONVEX} beside posthog-node ${PINNED}, seed ${seed}\n`);
  console.log(row(["topic", "cases", "differ asked alone", "share", "only among all", "share"]));
  for (const [topic, { cases: asked, alone, "among all": bulk }] of Object.entries(counts.topics)) console.log(row([topic, asked, alone, share(alone, asked), bulk, share(bulk, asked)]));
  console.log(`\n${row(["rule (its example has the same name)", "makes it by itself", "with other rules"])}`);
  for (const id of [...DIFFERENCES.map((difference) => difference.id), UNEXPLAINED]) console.log(row([id, counts.rules[id]?.alone ?? 0, counts.rules[id]?.together ?? 0]));
  for (const { document, number, difference } of counts.unexplained.slice(0, SHOWN_UNEXPLAINED)) console.log(await describe(document, number, difference, seed));
  for (const fault of faults) console.log(fault);
  console.log(`\nconvex: ${counts.documents} documents (${counts.refused} of them posthog-node cannot load), ${counts.cases} cases, ${counts.unexplained.length} unexplained, ${DIFFERENCES.length - faults.length} of ${DIFFERENCES.length} examples differ as written (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  process.exitCode = counts.cases > 0 && counts.unexplained.length === 0 && faults.length === 0 ? 0 : 1;
}

const row = ([name, ...cells]) => `${String(name).padEnd(38)}${cells.map((cell) => String(cell).padStart(20)).join("")}`;

function wholeNumber(name, text) {
  if (!/^\d+$/.test(text)) throw new Error(`${name} is ${text}: give a whole number`);
  return Number(text);
}

async function describe(document, number, difference, seed) {
  const stillUnexplained = async (candidate, { key, way }) => (await compareWithConvex(candidate)).differences.find((other) => other.key === key && other.way === way && other.rules.includes(UNEXPLAINED));
  const small = await minimise(document, difference, stillUnexplained);
  const { key, way, node, convex } = small.mismatch;
  const { definitions, users, contexts } = small.document;
  return `\nUNEXPLAINED (seed ${seed}, document ${number}, flag ${JSON.stringify(key)}, ${way})\n  posthog-node    ${JSON.stringify(node)}\n  @posthog/convex ${JSON.stringify(convex)}\n  ${JSON.stringify({ definitions, users, contexts })}`;
}

await main();
