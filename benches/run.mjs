/**
 * Flagpost beside posthog-node, @posthog/convex and good plain JavaScript, in Node, Deno, Bun and workerd:
 * the contenders in one process, taking turns. docs/benchmarks/README.md tells what is measured and how.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { coldWorkerd } from "./cold/workerd.mjs";
import { convexStyle } from "./cold/convex.mjs";
import { writeInputs } from "./generate.mjs";
import { optionsOf, USAGE, UsageError } from "./options.mjs";
import { packageVersion, program } from "./programs.mjs";
import { barsOf } from "./report/bars.mjs";
import { rounded } from "./report/numbers.mjs";
import { plot } from "./report/plot.mjs";
import { barTable, coldTable, scriptTable, steadyTable } from "./report/table.mjs";
import { runIn } from "./runtimes/run.mjs";
import { scriptSizes } from "./scripts.mjs";

/** Smaller definitions say nothing about fresh processes that larger ones don't. */
const SMALLEST_COLD = 100;
/** One call of posthog-node's fills more than a turn by then. */
const LARGE = { size: 5000, rounds: 5 };

async function main(options) {
  const folder = mkdtempSync(join(os.tmpdir(), "flagpost-bench-"));
  try {
    const inputs = await writeInputs(folder, options.sizes);
    const results = { date: new Date().toISOString(), ...surroundings(options), steady: {}, cold: { workerd: {}, convex: {} }, native: options.native };
    console.log(`${results.machine.cores} cores of ${results.machine.cpu}; ${options.rounds} rounds of ${options.turnMs} ms, contenders in turn`);
    for (const runtime of options.runtimes) {
      results.steady[runtime] = {};
      for (const size of options.sizes) {
        const measured = await runIn(runtime, inputs[size], size >= LARGE.size ? { ...options, rounds: Math.min(options.rounds, LARGE.rounds) } : options);
        results.steady[runtime][size] = measured;
        console.log(steadyTable(`${runtime} ${results.versions[runtime]}, ${size.toLocaleString("en-US")} flags`, measured));
      }
    }
    if (options.coldRounds > 0) await cold(options, inputs, results.cold);
    results.scripts = await scriptSizes();
    console.log(scriptTable(results.scripts));
    results.bars = barsOf(results);
    if (results.bars.length > 0) console.log(barTable(results.bars));
    if (options.folder !== null) write(options.folder, rounded(results));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function cold({ runtimes, sizes, coldRounds }, inputs, results) {
  for (const size of sizes.filter((flags) => flags >= SMALLEST_COLD)) {
    const flags = `${size.toLocaleString("en-US")} flags`;
    if (runtimes.includes("workerd")) {
      results.workerd[size] = await coldWorkerd(inputs[size], coldRounds);
      console.log(coldTable(`fresh workerd, first request, all of ${flags}`, results.workerd[size]));
    }
    if (runtimes.includes("node")) {
      results.convex[size] = await convexStyle(inputs[size], coldRounds);
      console.log(coldTable(`fresh context in Node, as in Convex, one of ${flags}`, results.convex[size]));
    }
  }
}

function surroundings({ runtimes, rounds, turnMs, coldRounds }) {
  const printed = (command) => /\d[\d.-]*/.exec(execFileSync(command, ["--version"], { encoding: "utf8" }))[0];
  const versions = { node: process.versions.node };
  for (const name of runtimes) versions[name] ??= printed(program(name));
  for (const name of ["flagpost", "posthog-node", "@posthog/convex"]) versions[name] = packageVersion(name);
  const machine = { cpu: os.cpus()[0].model.trim(), cores: os.cpus().length, memoryGb: Math.round(os.totalmem() / 2 ** 30), system: os.type() };
  return { machine, versions, rounds, turnMs, coldRounds };
}

function write(folder, results) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${results.date.slice(0, 10)}.json`);
  writeFileSync(file, `${JSON.stringify(results)}\n`);
  writeFileSync(join(folder, "latest.svg"), plot(results));
  console.log(`\nwritten: ${file} and latest.svg beside it`);
}

// Dates without a zone mean UTC to Workers, and so here.
process.env.TZ = "UTC";
try {
  if (process.argv.includes("--help")) console.log(USAGE);
  else await main(optionsOf(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
