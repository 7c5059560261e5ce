import assert from "node:assert/strict";
import { test } from "node:test";
import { openReference } from "../support/reference.mjs";
import { documentOf } from "./documents.mjs";
import { agrees, orderShows } from "./compare.mjs";
import { at, openEvaluator } from "./reference.mjs";

/** The public client refuses a distinct id that is empty, and says so of those that are no string. */
const isForClients = ({ distinctId }) => typeof distinctId === "string" && distinctId !== "";

test("what is asked below posthog-node's public client is what the client answers", async () => {
  console.warn = () => {};
  let cases = 0;
  for (let number = 0; number < 240; number += 1) {
    const document = documentOf(5, number);
    if (document.contexts || document.topic === "malformed" || orderShows(document.definitions)) continue;
    const text = JSON.stringify(document.definitions);
    await at(document.now, async () => {
      const evaluator = await openEvaluator({ text });
      const client = openReference({ definitions: text });
      for (const user of document.users.filter(isForClients)) {
        const answers = await client.evaluate(user);
        for (const key of evaluator.keys) {
          const expected = await evaluator.one(key, user);
          if (expected.threw !== undefined) continue;
          cases += 1;
          const given = Object.hasOwn(answers.unresolved, key) ? { unresolved: answers.unresolved[key] } : { value: answers.featureFlags[key] };
          assert.deepEqual(given, expected.unresolved ? expected : { value: expected.value }, `document ${number}, flag ${key}`);
          if (number % 30 === 1) assert.ok(agrees(await client.evaluateFlag(key, user), expected), `document ${number}, flag ${key} alone`);
        }
      }
      await client.close();
    });
  }
  console.log(`${cases} answers of the public client`);
  assert.ok(cases > 1000);
});
