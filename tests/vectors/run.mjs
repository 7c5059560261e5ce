/**
 * Runs every vector through the built npm package in Node, Deno, Bun and workerd, as users would.
 *
 *   node tests/vectors/run.mjs [--runtime node,deno,bun,workerd] [FILE…]
 *
 * The vectors are read from $FLAGPOST_VECTORS, else from ../shared/vectors when that folder is beside
 * the project, else from this folder. The answers are compared inside each runtime. Anything but
 * every vector answered as expected in every runtime is a failure.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { linesOf, prepare } from "./batches.mjs";
import { COPY, vectorFiles } from "./files.mjs";
import { openRuntime, RUNTIME_NAMES } from "./runtimes.mjs";

const SHOWN_MISMATCHES = 10;

// The answers were recorded in UTC; a date without a zone would give another one elsewhere.
process.env.TZ = "UTC";

function vectorFolder() {
  if (process.env.FLAGPOST_VECTORS) return process.env.FLAGPOST_VECTORS;
  const beside = fileURLToPath(new URL("../../../shared/vectors", import.meta.url));
  return existsSync(beside) ? beside : COPY;
}

function filesToRun(folder, only) {
  if (only.length > 0) return only;
  const files = vectorFiles(folder);
  if (files.length === 0) throw new Error(`no vector files in ${folder}; set FLAGPOST_VECTORS to the folder that holds them`);
  const indexed = folder === COPY ? Object.keys(JSON.parse(readFileSync(join(COPY, "index.json"), "utf8"))) : [];
  for (const name of indexed) if (!files.includes(name)) throw new Error(`${name} is in index.json, but not in the folder`);
  return files;
}

/** A runtime's mismatches for each file, or the error that kept it from answering. */
async function runIn(name, prepared, lines) {
  const result = { name, version: "", answers: 0, mismatches: new Map(prepared.map(({ file }) => [file, []])), error: null };
  try {
    const { ask, close } = await openRuntime(name);
    try {
      const { runtime, replies } = await ask(lines);
      result.version = runtime;
      const batches = prepared.flatMap(({ file, batches }) => batches.map((batch) => ({ file, ...batch })));
      for (const [index, { run, mismatches }] of replies.entries()) {
        result.answers += run;
        result.mismatches.get(batches[index].file).push(...mismatches.map((mismatch) => described(mismatch, batches[index])));
      }
    } finally {
      await close();
    }
  } catch (error) {
    result.error = error;
  }
  return result;
}

function described({ item, index, actual }, { cases }) {
  const { id, key, keys, expected } = cases[item];
  return { id, flag: keys?.[index] ?? key, wanted: expected[index], actual };
}

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { runtime: { type: "string" } } });
const names = options.runtime?.split(",") ?? RUNTIME_NAMES;
for (const name of names) if (!RUNTIME_NAMES.includes(name)) throw new Error(`no runtime is called ${JSON.stringify(name)}; there are: ${RUNTIME_NAMES.join(", ")}`);

const folder = vectorFolder();
const prepared = [];
for (const file of filesToRun(folder, positionals)) prepared.push(await prepare(folder, file));
const lines = linesOf(prepared.flatMap(({ batches }) => batches));
const results = [];
for (const name of names) results.push(await runIn(name, prepared, lines));

const column = (text) => String(text).padStart(9);
console.log(`${"differing answers in".padEnd(34)} ${column("expected")} ${names.map(column).join(" ")}`);
for (const { file, count, asked, note } of prepared) {
  const cells = results.map(({ error, mismatches }) => column(error ? "-" : mismatches.get(file).length));
  const details = note ?? (asked ? `${asked} expected answers asked of posthog-node's client` : "");
  console.log(`${file.padEnd(34)} ${column(count)} ${cells.join(" ")}${details && `  ${details}`}`);
}
for (const { name, mismatches } of results) {
  for (const [file, list] of mismatches) {
    for (const mismatch of list.slice(0, SHOWN_MISMATCHES)) console.log(`${name}: ${file}: ${JSON.stringify(mismatch)}`);
    if (list.length > SHOWN_MISMATCHES) console.log(`${name}: ${file}: and ${list.length - SHOWN_MISMATCHES} more`);
  }
}
let good = true;
for (const { name, version, answers, mismatches, error } of results) {
  const differing = [...mismatches.values()].reduce((sum, list) => sum + list.length, 0);
  good &&= !error && answers > 0 && differing === 0;
  if (error) console.log(`vectors in ${name}: FAILED: ${error.message}`);
  else console.log(`vectors in ${name} (${version}): ${prepared.length} files, ${answers} answers, ${differing} differ`);
}
process.exitCode = good ? 0 : 1;
