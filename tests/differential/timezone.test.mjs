/** Dates without an offset are local times: through the npm package, and in posthog-node beside it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareDocument } from "./compare.mjs";
import { documentOf } from "./documents.mjs";

process.env.TZ = "America/New_York";

test("in another time zone the npm package answers as posthog-node does there", async (context) => {
  context.mock.method(console, "warn", () => {});
  assert.equal(new Date("2024-07-01T00:00:00").toISOString(), "2024-07-01T04:00:00.000Z");
  let cases = 0;
  for (let number = 0; cases < 3000; number += 1) {
    // The native evaluator is left out: it reads local times as UTC.
    const result = await compareDocument(documentOf(6, number), undefined);
    cases += result.cases;
    assert.deepEqual(result.mismatches, [], `document ${number}`);
  }
});
