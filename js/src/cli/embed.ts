import process from "node:process";
import { parseArgs } from "node:util";

import { isSnapshot } from "../frame.js";
import { FlagpostError, load } from "../entry/inline.js";
import type { Definitions } from "../types.js";
import { EXIT, Failure } from "./failure.js";
import { writeWhole } from "./files.js";
import { EMBED_HELP } from "./help.js";
import { readInput } from "./input.js";
import { moduleOf } from "./module.js";
import { assertWhole } from "./snapshot.js";
import { visible } from "./text.js";

const DAY = 24 * 60 * 60;

/** `flagpost embed`. */
export async function embed(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      output: { type: "string", short: "o" },
      "header-env": { type: "string", multiple: true },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(EMBED_HELP);
    return EXIT.ok;
  }
  const [input, ...more] = positionals;
  if (input === undefined || more.length > 0 || values.output === undefined) {
    throw new Failure("usage", "embed takes one snapshot and a file to write: flagpost embed flags.snapshot -o flags.snapshot.mjs");
  }
  const files = moduleOf(values.output);
  const snapshot = await readInput(input, values["header-env"] ?? []);
  if (!isSnapshot(snapshot)) {
    throw new Failure("input", "these are no snapshot's bytes: if they are definitions, make one first: refresher compile FILE -o SNAPSHOT");
  }
  assertWhole(snapshot);
  const definitions = load(snapshot);
  const slim = await loadsInSlim(snapshot);
  for (const { path, text } of files(snapshot, definitions)) writeWhole(path, text);
  process.stdout.write(`${visible(values.output)}: ${summaryOf(snapshot, definitions)}\n`);
  if (!slim) warn("it has no ruleset that this version's flagpost/slim can load: write it with the refresher of this version, or import flagpost");
  const age = definitions.ageSeconds;
  if (age === null || age > DAY) warn("the snapshot is older than a day: run the refresher before the build");
  return EXIT.ok;
}

async function loadsInSlim(snapshot: Uint8Array): Promise<boolean> {
  const slim = await import("../entry/inline-slim.js");
  try {
    slim.load(snapshot).free();
    return true;
  } catch (error) {
    if (error instanceof FlagpostError && error.code === "needs_compiler") return false;
    throw error;
  }
}

function summaryOf({ length }: Uint8Array, { flagKeys, ageSeconds }: Definitions): string {
  const age = ageSeconds === null ? "of unknown age" : `${lengthOf(ageSeconds)} old`;
  return `${flagKeys.length} flags, ${kilobytes(length)} (${kilobytes(Math.ceil(length / 3) * 4)} as base64), ${age}`;
}

function lengthOf(seconds: number): string {
  const [unit, name] = seconds >= 2 * DAY ? [DAY, "days"] : seconds >= 7200 ? [3600, "hours"] : [60, "minutes"];
  return `${Math.floor(seconds / unit)} ${name}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function warn(message: string): void {
  process.stderr.write(`flagpost: warning: ${message}\n`);
}
