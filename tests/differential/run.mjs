/**
 * The differential test: random definitions and users, asked of posthog-node and of Flagpost, through
 * the npm package (WASM) and natively.
 *
 *   node tests/differential/run.mjs [--cases N] [--seed N] [--document N] [--jobs N]
 *
 * The same seed makes the same cases. A mismatch is made small and printed, and fails the run; so does
 * a run that leaves an operator, a kind of value, an outcome or a feature out.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compareDocument } from "./compare.mjs";
import { count, emptyCoverage, gaps, merge, table } from "./coverage.mjs";
import { documentOf } from "./documents.mjs";
import { minimise, vectorOf } from "./minimise.mjs";
import { buildOracle, openOracle } from "./native.mjs";
import { PINNED } from "./reference.mjs";

const SHOWN_MISMATCHES = 3;
/** Below this a run is too small to meet everything. */
const LEAST_FOR_COVERAGE = 30_000;

if (isMainThread) await main();
else await work(workerData);

async function main() {
  const { values } = parseArgs({
    options: { cases: { type: "string", default: "50000" }, seed: { type: "string", default: "1" }, document: { type: "string" }, jobs: { type: "string" } },
  });
  const [cases, seed] = [wholeNumber("--cases", values.cases), wholeNumber("--seed", values.seed)];
  const only = values.document === undefined ? undefined : wholeNumber("--document", values.document);
  const jobs = only !== undefined ? 1 : values.jobs ? wholeNumber("--jobs", values.jobs) : Math.min(availableParallelism(), 8);
  const oracle = buildOracle();
  console.log(`differential: seed ${seed}, ${cases} cases or more, posthog-node ${PINNED} beside the npm package and the native evaluator`);

  const started = performance.now();
  const shares = await Promise.all(Array.from({ length: jobs }, (_, job) => runWorker({ seed, oracle, job, jobs, only, cases: Math.ceil(cases / jobs) })));
  const total = shares.reduce(
    (sum, share) => ({ cases: sum.cases + share.cases, documents: sum.documents + share.documents, refused: sum.refused + share.refused, unsettled: sum.unsettled + share.unsettled, differing: sum.differing + share.differing, coverage: merge(sum.coverage, share.coverage) }),
    { cases: 0, documents: 0, refused: 0, unsettled: 0, differing: 0, coverage: emptyCoverage() },
  );
  if (only === undefined) console.log(`\n${table(total.coverage)}\n`);
  const left = cases < LEAST_FOR_COVERAGE || only !== undefined ? [] : gaps(total.coverage);
  for (const gap of left) console.log(`not covered: ${gap}`);
  const seconds = (performance.now() - started) / 1000;
  console.log(`left to the server: ${total.unsettled} answers among all flags that depend on posthog-node's timing (docs/parity.md)`);
  console.log(`differential: ${total.documents} documents (${total.refused} of them posthog-node cannot load), ${total.cases} cases, ${total.differing} differ (${seconds.toFixed(0)} s)`);
  process.exitCode = total.differing === 0 && total.cases > 0 && left.length === 0 ? 0 : 1;
}

function wholeNumber(name, text) {
  if (!/^\d+$/.test(text)) throw new Error(`${name} is ${text}: give a whole number`);
  return Number(text);
}

function runWorker(data) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    worker.on("message", resolve).on("error", reject).on("exit", (code) => code !== 0 && reject(new Error(`a worker ended with code ${code}`)));
  });
}

/** One thread's share: every `jobs`-th document until it has its cases. */
async function work({ seed, oracle: program, job, jobs, only, cases }) {
  // posthog-node warns of flags that it cannot decide locally, which here is the point.
  console.warn = () => {};
  const oracle = openOracle(program);
  const share = { cases: 0, documents: 0, refused: 0, unsettled: 0, differing: 0, coverage: emptyCoverage() };
  for (let number = only ?? job; only === undefined ? share.cases < cases : number === only; number += jobs) {
    const document = documentOf(seed, number);
    const result = await compareDocument(document, oracle, (key, user, answer) => count(share.coverage, document, key, user, answer));
    share.cases += result.cases;
    share.documents += 1;
    share.refused += Number(result.refused);
    share.unsettled += result.unsettled;
    for (const mismatch of result.mismatches) {
      share.differing += 1;
      if (share.differing <= SHOWN_MISMATCHES) console.log(await describe(document, mismatch, { seed, number, oracle }));
    }
  }
  oracle.close();
  parentPort.postMessage(share);
}

async function describe(document, mismatch, { seed, number, oracle }) {
  const place = `seed ${seed}, document ${number}`;
  if (mismatch.key === undefined) return `MISMATCH in loading (${place}): ${JSON.stringify(mismatch)}\n${JSON.stringify(document.definitions)}`;
  const mismatchOf = async (candidate, { key, how }) => (await compareDocument(candidate, oracle)).mismatches.find((other) => other.key === key && how.some((way) => other.how.includes(way)));
  const small = await minimise(document, mismatch, mismatchOf);
  const { key, how, reference, flagpost } = small.mismatch;
  return [
    `MISMATCH (${place}, flag ${JSON.stringify(key)}, ${how.join(", ")})`,
    `  posthog-node ${JSON.stringify(reference)}`,
    `  flagpost     ${JSON.stringify(flagpost)}`,
    `  as a vector  ${vectorOf(small.document, small.mismatch, `differential-${seed}-${number}-${key}`)}`,
    `  again with   node tests/differential/run.mjs --seed ${seed} --document ${number}`,
  ].join("\n");
}
