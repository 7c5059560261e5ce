/** Node, Deno and Bun run this: a job's path as the argument, its results into the file that the job names. */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { prepare, repeat } from "../core.mjs";
import { inputsOf } from "../inputs.mjs";
import { measure } from "../schedule.mjs";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { disagreements, calls } = await prepare(await inputsOf((name) => new Uint8Array(readFileSync(`${job.folder}/${name}`))));

async function time(name, contender, part, times) {
  const start = performance.now();
  await repeat(calls[name][contender][part], times);
  return performance.now() - start;
}

const names = Object.fromEntries(job.cases.map((name) => [name, Object.keys(calls[name])]));
const results = disagreements.length > 0 ? {} : await measure({ names, time, rounds: job.rounds, turnMs: job.turnMs });
writeFileSync(job.output, JSON.stringify({ disagreements, results }));
