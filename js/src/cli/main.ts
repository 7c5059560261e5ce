import { readFileSync } from "node:fs";
import process from "node:process";

import { FlagpostError } from "../entry/inline.js";
import { embed } from "./embed.js";
import { EXIT, Failure } from "./failure.js";
import { HELP } from "./help.js";
import { visible } from "./text.js";
import { types } from "./types.js";

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = { types, embed };

/** Runs the program; what it ends with. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    const known = endOf(error);
    const text = known === undefined ? (error as Error)?.stack ?? String(error) : visible((error as Error).message);
    process.stderr.write(`flagpost: ${text}\n`);
    return known ?? EXIT.fault;
  }
}

async function run([name, ...rest]: readonly string[]): Promise<number> {
  if (name === "--version" || name === "-V") {
    process.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  if (name === "--help" || name === "-h") {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command(rest);
  const what = name === undefined ? "a command is missing" : `there is no command "${name}"`;
  throw new Failure("usage", `${what}: flagpost types, flagpost embed, or flagpost --help`);
}

/** The exit code of an error that was to be expected. */
function endOf(error: unknown): number | undefined {
  if (error instanceof Failure) return error.exitCode;
  if (error instanceof FlagpostError) return error.code === "invalid_options" ? EXIT.usage : EXIT.input;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && code.startsWith("ERR_PARSE_ARGS_") ? EXIT.usage : undefined;
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}
