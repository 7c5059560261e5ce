/** Runs the benchmark in a runtime: one process for each size, in which all contenders take turns. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileSync } from "node:fs";
import { bundleWorker } from "../bundle.mjs";
import { program, succeed } from "../programs.mjs";
import { measure } from "../schedule.mjs";
import { startWorkerd, writeConfig } from "../workerd.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const TIMEOUT_MS = 600_000;

/** How Node, Deno and Bun are called; what they print as their version. */
const PROCESSES = {
  node: { command: () => process.execPath, args: [] },
  deno: { command: () => program("deno"), args: ["run", "--no-prompt", "--node-modules-dir=manual", "--allow-all"] },
  bun: { command: () => program("bun"), args: [] },
};

/**
 * @param {string} folder the inputs of one size
 * @param {{cases: string[], rounds: number, turnMs: number}} plan
 * @returns {Promise<Record<string, Record<string, {calls: number, us: number[]}>>>}
 */
export async function runIn(runtime, folder, plan) {
  const { disagreements, results } = await (runtime === "workerd" ? inWorkerd(folder, plan) : inProcess(runtime, folder, plan));
  if (disagreements.length > 0) throw new Error(`the contenders answer differently in ${runtime}, so nothing was timed:\n  ${disagreements.join("\n  ")}`);
  return results;
}

async function inProcess(runtime, folder, plan) {
  const { command, args } = PROCESSES[runtime];
  const job = join(folder, `${runtime}-job.json`);
  const output = join(folder, `${runtime}-results.json`);
  writeFileSync(job, JSON.stringify({ ...plan, folder, output }));
  await succeed(runtime, command(), [...args, here("process.mjs"), job], { timeoutMs: TIMEOUT_MS });
  return JSON.parse(readFileSync(output, "utf8"));
}

async function inWorkerd(folder, { cases, rounds, turnMs }) {
  const config = writeConfig(join(folder, "workerd"), await bundleWorker(`export { default } from ${JSON.stringify(here("worker.mjs"))};`), folder);
  const workerd = await startWorkerd(config);
  try {
    const { disagreements, names } = JSON.parse(await workerd.ask("/prepare"));
    if (disagreements.length > 0) return { disagreements };
    const time = async (name, contender, part, calls) => {
      const path = `/?${new URLSearchParams({ case: name, contender, part, calls })}`;
      const start = performance.now();
      await workerd.ask(path);
      return performance.now() - start;
    };
    const wanted = Object.fromEntries(cases.map((name) => [name, names[name]]));
    return { disagreements, results: await measure({ names: wanted, time, rounds, turnMs }) };
  } finally {
    await workerd.stop();
  }
}
