/**
 * Reading vector files without losing how numbers are spelled: definitions are handed on as the text
 * that stands in the file, because `1.0`, `-0` and `1e400` do not survive JSON.parse and back.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const COPY = fileURLToPath(new URL(".", import.meta.url));

/** The paths of all vector files below `folder`, relative and with forward slashes, sorted. */
export function vectorFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".json") && entry.name !== "index.json")
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join("/"))
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

/** The text of each element of a JSON array. */
export function elementTexts(array) {
  const elements = [];
  let at = skipSpace(array, 1);
  while (array[at] !== "]") {
    const end = skipValue(array, at);
    elements.push(array.slice(at, end));
    at = skipSpace(array, end);
    if (array[at] === ",") at = skipSpace(array, at + 1);
  }
  return elements;
}

/** The text of one member of a JSON object, or undefined. */
export function memberText(object, name) {
  let at = skipSpace(object, 1);
  while (object[at] !== "}") {
    const nameEnd = skipValue(object, at);
    const found = JSON.parse(object.slice(at, nameEnd)) === name;
    at = skipSpace(object, skipSpace(object, nameEnd) + 1);
    const end = skipValue(object, at);
    if (found) return object.slice(at, end);
    at = skipSpace(object, end);
    if (object[at] === ",") at = skipSpace(object, at + 1);
  }
  return undefined;
}

function skipSpace(text, at) {
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return at;
}

/** The index after the value that begins at `at`; the text is known to be well-formed. */
function skipValue(text, at) {
  let depth = 0;
  do {
    const character = text[at];
    if (character === '"') {
      at += 1;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    } else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (depth === 0) {
      while (at < text.length && !/[\s,\]}]/.test(text[at])) at += 1;
      return at;
    }
    at += 1;
  } while (depth > 0);
  return at;
}
