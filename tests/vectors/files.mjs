/** Finding vector files, and telling what they hold. */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const COPY = fileURLToPath(new URL(".", import.meta.url));

/** Files about the vectors, which hold none. */
const ABOUT = ["index.json", "schema/vectors.json"];

/** The paths of all vector files below `folder`, relative and with forward slashes, sorted. */
export function vectorFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join("/"))
    .filter((name) => !ABOUT.includes(name))
    .sort();
}

/**
 * What a file holds, told from its shape, and how many answers it expects.
 * @returns {{kind: "flags" | "properties" | "hashes" | "bulk" | "table" | "hazards" | "differences", count: number,
 *   text: string, json: any}}
 */
export function openVectors(folder, file) {
  const text = readFileSync(join(folder, file), "utf8");
  const json = JSON.parse(text);
  const [kind, count] = describe(json);
  if (!kind) throw new Error(`${file}: no known vector shape`);
  if (!count) throw new Error(`${file}: holds no vectors`);
  return { kind, count, text, json };
}

function describe(json) {
  if (Array.isArray(json)) {
    const first = json[0] ?? {};
    const members = { salt: "hashes", recommended: "hazards", sdk_result: "differences", property: "properties", definitions: "flags" };
    const member = Object.keys(members).find((name) => name in first);
    return [members[member], json.length];
  }
  if (json.rows) return ["bulk", json.rows.length];
  const outcomes = (json.results ?? []).flatMap((result) => result.rows).reduce((sum, row) => sum + (row?.length ?? 0), 0);
  return [json.results && "table", outcomes];
}
