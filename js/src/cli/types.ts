import process from "node:process";
import { parseArgs } from "node:util";

import { declarationsOf, differencesOf } from "./declarations.js";
import { EXIT, Failure } from "./failure.js";
import { readText, writeWhole } from "./files.js";
import { TYPES_HELP } from "./help.js";
import { readInput } from "./input.js";
import { flagsOf } from "./snapshot.js";
import { visible } from "./text.js";

/** `flagpost types`. */
export async function types(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      output: { type: "string", short: "o" },
      check: { type: "string" },
      "off-is-false": { type: "boolean" },
      "header-env": { type: "string", multiple: true },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(TYPES_HELP);
    return EXIT.ok;
  }
  const [input, ...more] = positionals;
  if (input === undefined || more.length > 0) {
    throw new Failure("usage", "types takes one snapshot: flagpost types flags.snapshot -o flags.d.ts");
  }
  if (values.output !== undefined && values.check !== undefined) {
    throw new Failure("usage", "--check writes nothing: leave out -o, or --check");
  }
  const flags = flagsOf(await readInput(input, values["header-env"] ?? []));
  const text = declarationsOf(flags, { offIsFalse: values["off-is-false"] ?? false });
  if (values.check !== undefined) return check(values.check, text);
  if (values.output === undefined) process.stdout.write(text);
  else writeWhole(values.output, text);
  return EXIT.ok;
}

function check(path: string, text: string): number {
  const shown = visible(path);
  // A checkout on Windows may have changed the ends of lines.
  const found = readText(path)?.replaceAll("\r\n", "\n");
  if (found === text) return EXIT.ok;
  for (const difference of differencesOf(found ?? "", text)) process.stdout.write(`${difference}\n`);
  const what = found === undefined ? "does not exist" : "is not what the snapshot gives";
  process.stderr.write(`flagpost: ${shown} ${what}: write it with \`flagpost types SNAPSHOT -o ${shown}\`\n`);
  return EXIT.differs;
}
