/** The vectors are well-formed, and what is malformed is noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { COPY, openVectors, vectorFiles } from "./files.mjs";
import { faultsOf } from "./schema.mjs";

for (const file of vectorFiles(COPY)) {
  test(`${file} is well-formed`, () => {
    assert.deepEqual(faultsOf(openVectors(COPY, file)), []);
  });
}

/** What `faultsOf` says of a file after `spoil` changed its parsed content in place. */
function faultsAfter(file, spoil) {
  const vectors = openVectors(COPY, file);
  spoil(vectors.json);
  return faultsOf(vectors).join("\n");
}

const flags = "posthog-node.json";
const properties = "posthog-node.properties.json";
const table = "tables/dates-1.json";
const SPOILED = {
  "without the expected answer": [flags, ([vector]) => delete vector.expected, /\/0: .*'expected'/],
  "with a misspelled member": [flags, ([vector]) => (vector.flagkey = "a"), /\/0: .*flagkey/],
  "with a reason that nobody gives": [flags, ([vector]) => (vector.expected = { status: "inconclusive", reason: "no_idea" }), /\/0\/expected/],
  "with both a value and a reason": [flags, ([vector]) => (vector.expected = { status: "value", value: true, reason: "any" }), /\/0\/expected/],
  "with a context that lacks the groups": [flags, ([vector]) => delete vector.context.groups, /\/0\/context: .*'groups'/],
  "with a clock that does not tell the zone": [flags, ([vector]) => (vector.now = "2022-05-01"), /\/0\/now: .*pattern/],
  "with a JavaScript value in the definitions": [flags, ([vector]) => (vector.js_values = [{ path: ["definitions", "flags"], kind: "NaN" }]), /\/0\/js_values\/0/],
  "with a date without its time": [flags, ([vector]) => (vector.js_values = [{ path: ["context", "person_properties", "k"], kind: "Date" }]), /\/0\/js_values\/0/],
  "with the same id twice": [flags, (vectors) => (vectors[1].id = vectors[0].id), /is there twice/],
  "that are inconclusive for no reason": [properties, ([vector]) => Object.assign(vector, { expected: "inconclusive", reason: undefined }) && delete vector.reason, /\/0: .*'reason'/],
  "that are true for a reason": [properties, ([vector]) => Object.assign(vector, { expected: true, reason: "missing_context" }), /\/0\/reason/],
  "with a letter that means nothing": [table, ({ results }) => (results[0].rows = results[0].rows.map((row) => row?.replace("f", "x") ?? null)), /\/results\/0\/rows/],
  "with a row that is too short": [table, ({ results }) => (results[0].rows = results[0].rows.map((row) => row?.slice(1) ?? null)), /has \d+ letters for \d+ columns/],
  "with a row too many": [table, ({ results }) => results[0].rows.push(null), /rows for \d+ filters/],
  "with a hash beyond one": ["hash-primitives.json", ([vector]) => (vector.expected = 1.5), /\/0\/expected/],
  "with a row without its value": ["bulk/hash-1.json", ({ rows }) => rows[0].pop(), /\/rows\/0/],
  "without the answer that counts": ["special/hazards.json", ([vector]) => delete vector.recommended, /\/0: .*'recommended'/],
};
for (const [name, [file, spoil, message]] of Object.entries(SPOILED)) {
  test(`vectors ${name} are refused`, () => assert.match(faultsAfter(file, spoil), message));
}

test("a vector over two lines is refused", () => {
  const vectors = openVectors(COPY, flags);
  vectors.text = vectors.text.replace(',"definitions":', ',\n"definitions":');
  assert.match(faultsOf(vectors).join("\n"), /^\S+ does not stand on a line of its own$/m);
});
