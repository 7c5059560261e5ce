/**
 * Asks the pinned posthog-node again for the expected answers of the vectors, and rewrites those that
 * changed. Everything else in the files keeps its bytes. `index.json` follows.
 *
 *   node tests/vectors/regenerate.mjs [--check] [--folder FOLDER] [FILE…]
 *
 * --check writes nothing; it lists what would change, and then exits with 1.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { REFERENCE, requireReference } from "./evaluator.mjs";
import { COPY, openVectors, vectorFiles } from "./files.mjs";
import { regenerated, textOf } from "./regeneration.mjs";

const SHOWN_CHANGES = 10;

// The answers are those in UTC; a date without a zone would give another one elsewhere.
process.env.TZ = "UTC";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false }, folder: { type: "string", default: COPY } },
});
requireReference();
const folder = resolve(options.folder);
const all = vectorFiles(folder);
const files = positionals.length > 0 ? positionals : all;
const total = { asked: 0, changed: 0, notAsked: 0 };
const entries = new Map();

for (const file of files) {
  const { kind, asked, notAsked, why, text, changes } = await regenerated(folder, file);
  const details = notAsked ? `, ${notAsked} not asked: ${why}` : "";
  console.log(`${file.padEnd(34)} ${String(asked).padStart(7)} asked, ${changes.length} changed${details}`);
  for (const { id, was, is } of changes.slice(0, SHOWN_CHANGES)) console.log(`    ${id}: ${JSON.stringify(was)} -> ${JSON.stringify(is)}`);
  if (changes.length > SHOWN_CHANGES) console.log(`    and ${changes.length - SHOWN_CHANGES} more`);
  if (changes.length > 0 && !options.check) writeFileSync(join(folder, file), text);
  entries.set(file, { kind, text });
  total.asked += asked;
  total.changed += changes.length;
  total.notAsked += notAsked;
}

const indexed = textOf(folder, "index.json");
if (indexed !== null) {
  const index = indexOf(JSON.parse(indexed));
  if (index !== indexed) {
    total.changed += 1;
    console.log(`index.json ${options.check ? "does not fit the files" : "rewritten"}`);
    if (!options.check) writeFileSync(join(folder, "index.json"), index);
  }
}
console.log(`posthog-node ${REFERENCE["posthog-node"]} asked again: ${total.asked} answers, ${total.changed} ${options.check ? "would change" : "changed"}, ${total.notAsked} not asked`);
if (files.length === 0) throw new Error(`no vector files in ${folder}`);
process.exitCode = options.check && (total.changed > 0 || total.asked === 0) ? 1 : 0;

/** The text of index.json: entries of files that were asked again are new, those of files that are gone go. */
function indexOf(old) {
  const lines = all.flatMap((file) => {
    if (!entries.has(file) && !(file in old)) return [];
    const { kind, count, sha256 } = entries.has(file) ? entryOf(file) : old[file];
    return [`  ${JSON.stringify(file)}: {"kind": ${JSON.stringify(kind)}, "count": ${count}, "sha256": ${JSON.stringify(sha256)}}`];
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

function entryOf(file) {
  const { kind, text } = entries.get(file);
  const { count } = openVectors(folder, file);
  return { kind, count, sha256: createHash("sha256").update(text).digest("hex") };
}
