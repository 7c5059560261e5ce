/** Whether a file of vectors is well-formed: `schema/vectors.json`, and what a schema cannot say. */
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import { elementSpans } from "./json-text.mjs";

const schema = JSON.parse(readFileSync(new URL("schema/vectors.json", import.meta.url), "utf8"));
const ajv = new Ajv2020({ allowUnionTypes: true });
ajv.addSchema(schema);

/**
 * What is wrong with a file that `openVectors` opened; nothing when the list is empty.
 * @returns {string[]}
 */
export function faultsOf({ kind, text, json }) {
  const validate = ajv.getSchema(`${schema.$id}#/$defs/${kind}`);
  if (!validate(json)) return validate.errors.map(({ instancePath, message, params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`);
  if (kind === "table") return tableFaults(json);
  return Array.isArray(json) && json[0].id !== undefined ? [...sameIds(json), ...brokenLines(text, json)] : [];
}

function tableFaults({ filters, contexts, results }) {
  return results.flatMap(({ operator, rows }) => {
    const name = JSON.stringify(operator);
    if (rows.length !== filters.length) return [`${name}: ${rows.length} rows for ${filters.length} filters`];
    const wanted = contexts.length + 1;
    return rows.flatMap((row, index) => (row === null || row.length === wanted ? [] : [`${name}: row ${index} has ${row.length} letters for ${wanted} columns`]));
  });
}

function sameIds(json) {
  const seen = new Set();
  return json.flatMap(({ id }) => (seen.size === seen.add(id).size ? [`the id ${id} is there twice`] : []));
}

/** Every vector stands on a line of its own, so that a change of one is a change of one line. */
function brokenLines(text, json) {
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  const whole = elementSpans(text, text.search(/\S/)).map(({ start, end }) => text.slice(start, end));
  return whole.flatMap((vector, index) => (lines[index]?.replace(/,$/, "") === vector ? [] : [`${json[index].id} does not stand on a line of its own`]));
}
