/** What posthog-node would have put into its shared cache, and what it makes of ours. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { PostHog } from "posthog-node";
import { documentOf } from "../differential/documents.mjs";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { calm, openReference } from "../support/reference.mjs";
import { FIXTURE_USERS, crowd } from "../support/users.mjs";
import { ROOT } from "../support/worker.mjs";

const FIXTURE = readFileSync(FIXTURE_DEFINITIONS, "utf8");
const PROGRAM = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "release", "examples", "node_cache");

before(() => {
  execFileSync("cargo", ["build", "--quiet", "--release", "--package", "refresher", "--example", "node_cache"], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
});

/** The JSON that the refresher makes of definitions. */
function ours(definitions) {
  return execFileSync(PROGRAM, { input: definitions, encoding: "utf8", maxBuffer: 64 << 20, stdio: ["pipe", "pipe", "pipe"] });
}

/** What posthog-node publishes when it fetches definitions; `undefined` if nothing. */
async function published(posthog, definitions) {
  posthog.setDefinitions(definitions);
  const received = [];
  const client = new PostHog(posthog.projectKey, {
    host: posthog.url,
    personalApiKey: posthog.personalKey,
    flagDefinitionCacheProvider: {
      getFlagDefinitions: () => undefined,
      shouldFetchFlagDefinitions: () => true,
      onFlagDefinitionsReceived: (data) => void received.push(JSON.stringify(data)),
      shutdown() {},
    },
  });
  client.on("error", () => {});
  try {
    await calm(() => client.reloadFeatureFlags());
  } finally {
    await client.shutdown(2000);
  }
  return received.at(-1);
}

test("the refresher writes what posthog-node would have published for the same definitions", async () => {
  const posthog = await startPostHog();
  const frame = (more) => JSON.stringify({ ...JSON.parse(FIXTURE), ...more });
  const odd = [
    '{"flags":null}',
    '{"flags":[],"cohorts":null,"group_type_mapping":"","minimal_flag_called_events":1}',
    '{"flags":[],"cohorts":{},"cohorts":{"1":{}},"groupTypeMapping":{"0":"ignored"},"propertyMatchingVersion":2}',
    '{"flags":[{"key":"\\ud800","active":true,"n":1e21}],"__proto__":{"x":1},"property_matching_version":null}',
    frame({ minimal_flag_called_events: true, property_matching_version: 2 }),
    frame({ minimal_flag_called_events: "true", property_matching_version: undefined }),
    frame({ minimal_flag_called_events: undefined, property_matching_version: "2", etag: "more" }),
  ];
  const generated = Array.from({ length: 60 }, (_, number) => JSON.stringify(documentOf(7, number).definitions));
  let compared = 0;
  try {
    for (const definitions of [FIXTURE, ...odd, ...generated]) {
      const theirs = await published(posthog, definitions);
      if (theirs === undefined) continue;
      const [mine, expected] = [ours(definitions), theirs].map((text) => JSON.parse(text));
      assert.deepEqual(mine, expected, definitions.slice(0, 300));
      assert.deepEqual(Object.keys(mine), Object.keys(expected), "in the same order");
      compared += 1;
    }
  } finally {
    await posthog.close();
  }
  assert.ok(compared >= 1 + odd.length + 40, `posthog-node published ${compared} definitions`);
});

test("posthog-node without credentials answers from ours as one that fetched", async () => {
  const posthog = await startPostHog();
  let fetched;
  const cached = new PostHog(posthog.projectKey, {
    host: posthog.url,
    enableLocalEvaluation: true,
    strictLocalEvaluation: true,
    flagDefinitionCacheProvider: {
      getFlagDefinitions: () => JSON.parse(ours(FIXTURE)),
      shouldFetchFlagDefinitions: () => assert.fail("a reader without credentials does not fetch"),
      onFlagDefinitionsReceived: () => assert.fail("a reader without credentials does not publish"),
      shutdown() {},
    },
  });
  try {
    await calm(() => cached.reloadFeatureFlags());
    assert.equal(posthog.requests.length, 0, "it read the cache and nothing else");
    fetched = openReference({ host: posthog.url, projectKey: posthog.projectKey, personalKey: posthog.personalKey });
    const values = new Set();
    for (const user of [...FIXTURE_USERS, ...crowd(30)]) {
      const { groups, personProperties, groupProperties } = user;
      const options = { groups, personProperties, groupProperties, onlyEvaluateLocally: true };
      const { featureFlags, featureFlagPayloads } = await cached.getAllFlagsAndPayloads(user.distinctId, options);
      const { unresolvedFlags } = await cached.evaluateFlags(user.distinctId, options);
      const expected = await fetched.evaluate(user);
      assert.deepEqual({ featureFlags, featureFlagPayloads, unresolved: { ...unresolvedFlags } }, expected, user.distinctId);
      Object.values(featureFlags).forEach((value) => values.add(value));
    }
    assert.ok(values.size >= 15, `many values were compared, not just ${[...values]}`);
  } finally {
    await Promise.all([fetched?.close(), cached.shutdown(2000)]);
    await posthog.close();
  }
});
