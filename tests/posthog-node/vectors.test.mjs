/** Every vector of posthog-node's own tests, asked of a posthog-node that reads our snapshot. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { flagDefinitionCache } from "flagpost/posthog-node";
import { openReference } from "../support/reference.mjs";
import { agrees } from "../vectors/answer.mjs";
import { prepare } from "../vectors/batches.mjs";
import { atTime } from "../vectors/clock.mjs";
import { COPY } from "../vectors/files.mjs";
import { frozen, snapshotOf, sourceWith } from "./snapshots.mjs";

// The answers were recorded in UTC; a date without a zone would give another one elsewhere.
process.env.TZ = "UTC";

const INDEX = JSON.parse(readFileSync(join(COPY, "index.json"), "utf8"));

/** A provider of a snapshot of these definitions; who changes what it hands out is found out. */
function providerOf(definitions) {
  const provider = flagDefinitionCache({ source: sourceWith(snapshotOf(definitions)), onError: assert.ifError });
  return {
    getFlagDefinitions: async () => frozen(await provider.getFlagDefinitions()),
    shouldFetchFlagDefinitions: () => provider.shouldFetchFlagDefinitions(),
    onFlagDefinitionsReceived: (data) => provider.onFlagDefinitionsReceived(data),
    shutdown: () => provider.shutdown(),
  };
}

/** The answer in the shape of the vectors; `getFeatureFlag` and `isFeatureEnabled` have to say the same. */
async function ask(reference, key, user) {
  const answer = await reference.evaluateFlag(key, user);
  if (user.distinctId === "") return answer;
  const { groups, personProperties, groupProperties } = user;
  const options = { groups, personProperties, groupProperties, onlyEvaluateLocally: true, sendFeatureFlagEvents: false };
  const value = answer?.value;
  assert.equal(await reference.client.getFeatureFlag(key, user.distinctId, options), value, `getFeatureFlag ${key}`);
  const enabled = await reference.client.isFeatureEnabled(key, user.distinctId, options);
  assert.equal(enabled, value === undefined ? undefined : Boolean(value), `isFeatureEnabled ${key}`);
  return answer;
}

for (const file of ["posthog-node.json", "posthog-node.properties.json"]) {
  test(`a posthog-node without credentials answers ${file} from our snapshots as expected`, async () => {
    const { batches } = await prepare(COPY, file);
    let asked = 0;
    for (const { definitions, cases } of batches) {
      const reference = openReference({ provider: providerOf(definitions) });
      try {
        for (const { id, key, user, now, expected } of cases) {
          const actual = await atTime(now, () => ask(reference, key, user));
          assert.ok(agrees(actual, expected[0]), `${id}: ${JSON.stringify({ actual, expected: expected[0] })}`);
          asked += 1;
        }
      } finally {
        await reference.close();
      }
    }
    assert.equal(asked, INDEX[file].count);
  });
}
