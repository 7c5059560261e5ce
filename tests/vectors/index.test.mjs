import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COPY, openVectors, vectorFiles } from "./files.mjs";
import { elementTexts, memberText } from "./json-text.mjs";

const index = JSON.parse(readFileSync(join(COPY, "index.json"), "utf8"));

test("the folder holds exactly the files of its index", () => {
  assert.deepEqual(vectorFiles(COPY), Object.keys(index).sort());
  assert.ok(Object.keys(index).length >= 31, "the index itself has shrunk");
});

for (const [file, { kind, count, sha256 }] of Object.entries(index)) {
  test(`${file} has the bytes, the kind and the ${count} expected answers of the index`, () => {
    const vectors = openVectors(COPY, file);
    assert.equal(createHash("sha256").update(readFileSync(join(COPY, file))).digest("hex"), sha256);
    assert.equal(vectors.kind, kind);
    assert.equal(vectors.count, count);
  });
}

test("cutting JSON text apart gives the same values as parsing it", () => {
  const text = ' [ {"a\\"]":[1.0, -0,{"b":"}\\\\"}] ,"c" : 1e400}, "x,y" ,[],{} , null ]';
  const elements = elementTexts(text.trim());
  assert.deepEqual(elements, ['{"a\\"]":[1.0, -0,{"b":"}\\\\"}] ,"c" : 1e400}', '"x,y"', "[]", "{}", "null"]);
  assert.equal(memberText(elements[0], 'a"]'), '[1.0, -0,{"b":"}\\\\"}]');
  assert.equal(memberText(elements[0], "c"), "1e400");
  assert.equal(memberText(elements[0], "d"), undefined);
});

test("a file without vectors and a file of unknown shape are refused", () => {
  const folder = join(COPY, "..", "fixtures");
  assert.throws(() => openVectors(folder, "definitions.json"), /no known vector shape/);
});
