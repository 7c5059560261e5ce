/** What docs/posthog-convex.md says of @posthog/convex is what the package does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { compareDocument } from "./compare.mjs";
import { compareWithConvex, faultOf, UNEXPLAINED } from "./convex-compare.mjs";
import { BULK_RULES, DIFFERENCES, documentationTable, documentOfExample, MODEL_RULES, questionOfExample } from "./convex-differences.mjs";
import { measure } from "./convex-measure.mjs";

const CASES = 3000;

console.warn = () => {};

test("every example is answered by both packages as written, and differs by its rule", async () => {
  for (const difference of DIFFERENCES) assert.equal(await faultOf(difference), undefined, difference.id);
});

test("Flagpost answers every example as posthog-node does, and where that throws gives no value", async () => {
  for (const difference of DIFFERENCES) {
    const { cases, mismatches } = await compareDocument(documentOfExample(difference));
    assert.ok(cases > 0);
    assert.deepEqual(mismatches, [], difference.id);
  }
});

test("a difference whose rule is not known is unexplained", async () => {
  for (const difference of DIFFERENCES.filter(({ id }) => MODEL_RULES.includes(id))) {
    const { key } = questionOfExample(difference);
    const { differences } = await compareWithConvex(documentOfExample(difference), MODEL_RULES.filter((rule) => rule !== difference.id));
    assert.deepEqual(differences.find((other) => other.key === key && other.way === "alone")?.rules, [UNEXPLAINED], difference.id);
  }
});

test(`of ${CASES} random cases some differ and all that do are explained`, async (t) => {
  const counts = await measure({ seed: 20_261_121, cases: CASES });
  t.diagnostic(`${counts.cases} cases, ${Object.values(counts.topics).reduce((sum, { alone }) => sum + alone, 0)} differ asked alone`);
  assert.ok(counts.cases >= CASES);
  assert.deepEqual(counts.unexplained.map(({ number, difference }) => ({ number, difference })), []);
  for (const { cases, alone } of Object.values(counts.topics)) assert.ok(cases > 0 && alone > 0);
});

test("every rule that can explain has an example", () => {
  const ids = DIFFERENCES.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids.filter((id) => ![...MODEL_RULES, ...Object.values(BULK_RULES)].includes(id)), []);
  assert.deepEqual(Object.values(BULK_RULES).filter((id) => !ids.includes(id)), []);
});

test("the documentation has every rule with its example", () => {
  const page = readFileSync(new URL("../../docs/posthog-convex.md", import.meta.url), "utf8");
  for (const line of documentationTable()) assert.ok(page.includes(`${line}\n`), `docs/posthog-convex.md lacks this line, run convex.mjs --table: ${line}`);
  const rules = page.split("\n").filter((line) => /^\| `/.test(line));
  assert.equal(rules.length, DIFFERENCES.length);
});
