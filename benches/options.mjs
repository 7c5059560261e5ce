/** What was asked for on the command line. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CASES, RUNTIMES, SIZES } from "./cases.mjs";

export const USAGE = `node benches/run.mjs [options]

  --quick            three short rounds: a look, nothing to quote
  --runtime NAMES    of ${RUNTIMES.join(",")}
  --sizes NUMBERS    flags, of ${SIZES.join(",")}
  --cases NAMES      of ${Object.keys(CASES).join(",")}
  --rounds NUMBER    at least 3, default 9; five for more than 1,000 flags
  --no-cold          leave out fresh workerd processes and fresh contexts
  --native FILE      JSON of native Rust's microseconds, {"1000": {"all": 96}}; - reads stdin
  --write FOLDER     write the dated JSON and latest.svg there; a complete run writes to docs/benchmarks

Snapshots are made by target/release/refresher, or $FLAGPOST_REFRESHER; definitions by gen.mjs in
$FLAGPOST_BENCH, or in ../shared/bench.`;

/** A mistake on the command line, to be shown without a stack. */
export class UsageError extends Error {}

/** @returns {{runtimes: string[], sizes: number[], cases: string[], rounds: number, turnMs: number, coldRounds: number, native: object | null, folder: string | null}} */
export function optionsOf(args) {
  const values = parsed(args);
  const runtimes = chosen("--runtime", values.runtime, RUNTIMES);
  const sizes = chosen("--sizes", values.sizes, SIZES.map(String)).map(Number);
  const cases = chosen("--cases", values.cases, Object.keys(CASES));
  const rounds = values.rounds === undefined ? (values.quick ? 3 : 9) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 3) throw new UsageError(`--rounds takes a whole number from 3, not ${values.rounds}`);
  const complete = !values.quick && !values["no-cold"] && [values.runtime, values.sizes, values.cases].every((value) => value === undefined);
  const usual = complete ? fileURLToPath(new URL("../docs/benchmarks", import.meta.url)) : null;
  return {
    runtimes,
    sizes,
    cases,
    rounds,
    turnMs: values.quick ? 20 : 40,
    coldRounds: values["no-cold"] ? 0 : values.quick ? 3 : Math.max(9, rounds),
    native: values.native === undefined ? null : nativeFrom(values.native),
    folder: values.write ?? usual,
  };
}

function parsed(args) {
  const text = { type: "string" };
  const flag = { type: "boolean" };
  try {
    return parseArgs({ args, options: { quick: flag, runtime: text, sizes: text, cases: text, rounds: text, "no-cold": flag, native: text, write: text, help: flag } }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function chosen(option, text, known) {
  if (text === undefined) return known;
  const names = text.split(",");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`${option} does not know "${unknown}": it takes ${known.join(", ")}`);
  return known.filter((name) => names.includes(name));
}

function nativeFrom(path) {
  try {
    return JSON.parse(readFileSync(path === "-" ? 0 : path, "utf8"));
  } catch (error) {
    throw new UsageError(`--native: ${error.message}`);
  }
}
