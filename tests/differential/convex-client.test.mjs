/**
 * The clients side by side: `PostHog` of @posthog/convex and `Flagpost`, asked the same of the same
 * definitions. Of the former's component only its answer with the stored definitions is put in its place.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { isDeepStrictEqual } from "node:util";
import { PostHog } from "@posthog/convex";
import { convexTest } from "convex-test";
import { defineSchema, makeFunctionReference } from "convex/server";
import * as flagpost from "flagpost/convex";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { DIFFERENCES } from "./convex-differences.mjs";

const header = { format: 1, digest: "sha256:", fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T10:00:00Z", generator: "test" };
const definitions = JSON.parse(readFileSync(new URL("../fixtures/definitions.json", import.meta.url), "utf8"));
const keys = definitions.flags.map(({ key }) => key);

/** Flags of the fixture that @posthog/convex answers otherwise for some user, with the rules of docs/posthog-convex.md. */
const DIFFERENT = {
  "standard-support-hours": "cohort-not-in",
  "partner-perks": "first-undecided-filter",
  "store-theme-editor": "group-key-property",
  "search-ranking-experiment": "holdouts",
  "staged-checkout": "early-exit",
};

/** Both clients, made with the same options. */
const clientsOf = (options) => ({ ours: new flagpost.Flagpost(options), posthog: new PostHog({ lib: {} }, options) });
const stored = {
  flags: definitions.flags,
  groupTypeMapping: definitions.group_type_mapping,
  cohorts: definitions.cohorts,
  propertyMatchingVersion: definitions.property_matching_version,
};
const contextOf = (data) => ({ runQuery: async () => ({ localEvalConfigured: true, data, fetchedAt: 0 }) });

/** Runs with a function that asks both; what they reject with counts as an answer. */
async function side({ options, theirs = contextOf(JSON.stringify(stored)), snapshot = compiledSnapshot(header, definitions) }, use) {
  const { ours, posthog } = clientsOf(options);
  const modules = { "./_generated/api.js": async () => ({}), "./flagpost.js": async () => flagpost };
  const convex = convexTest({ schema: defineSchema(flagpost.flagpostTables), modules });
  if (snapshot !== null) await convex.mutation(makeFunctionReference("flagpost:setFlagDefinitions"), { snapshot: snapshot.buffer });
  const asked = (client, ctx, method, args) => client[method](ctx, args).catch(() => "rejects");
  await convex.run((ctx) => use(async (method, args) => [await asked(ours, ctx, method, args), await asked(posthog, theirs, method, args)]));
}

test("one flag: names, arguments and results are the same, for every flag and user of the fixture", async () => {
  const different = new Set();
  let same = 0;
  await side({}, async (both) => {
    for (const user of FIXTURE_USERS) {
      for (const key of keys) {
        for (const method of ["getFeatureFlag", "isFeatureEnabled", "getFeatureFlagPayload", "getFeatureFlagResult"]) {
          const [mine, theirs] = await both(method, { key, ...user, disableGeoip: true });
          if (isDeepStrictEqual(mine, theirs)) same++;
          else different.add(key);
        }
      }
    }
  });
  assert.deepEqual([...different].sort(), Object.keys(DIFFERENT).sort());
  for (const rule of Object.values(DIFFERENT)) assert.ok(DIFFERENCES.some(({ id }) => id === rule), rule);
  assert.ok(same > 4 * (keys.length - 5) * FIXTURE_USERS.length);
});

test("all flags: the same, whole and by flagKeys", async () => {
  const alike = keys.filter((key) => !Object.hasOwn(DIFFERENT, key));
  await side({}, async (both) => {
    for (const user of FIXTURE_USERS) {
      for (const flagKeys of [alike, alike.slice(0, 3), [...alike.slice(5, 8), "no-such-flag"], []]) {
        for (const method of ["getAllFlags", "getAllFlagsAndPayloads"]) {
          const [mine, theirs] = await both(method, { ...user, flagKeys });
          assert.deepEqual(mine, theirs, `${method} of ${flagKeys.length} for ${user.distinctId}`);
        }
      }
      const [mine, theirs] = await both("getAllFlags", user);
      assert.deepEqual(Object.keys(mine).filter((key) => alike.includes(key)).sort(), Object.keys(theirs).filter((key) => alike.includes(key)).sort());
    }
  });
});

test("a flag that does not exist, and definitions that are not there yet", async () => {
  const questions = (both) =>
    Promise.all(
      ["getFeatureFlag", "isFeatureEnabled", "getFeatureFlagPayload", "getFeatureFlagResult", "getAllFlags", "getAllFlagsAndPayloads"].map(async (method) => {
        const [mine, theirs] = await both(method, { key: "no-such-flag", flagKeys: ["no-such-flag"], distinctId: "u" });
        assert.deepEqual(mine, theirs, method);
        return mine;
      }),
    );
  await side({}, async (both) => {
    const none = { featureFlags: {}, featureFlagPayloads: {} };
    assert.deepEqual(await questions(both), [undefined, undefined, null, undefined, {}, none]);
  });
  await side({ options: { onError: () => {} }, theirs: contextOf(null), snapshot: null }, async (both) => {
    assert.deepEqual((await questions(both)).slice(0, 4), [undefined, undefined, undefined, undefined]);
  });
});

test("who is asked about: identify first, then distinctId; without either both reject", async () => {
  const known = { identify: async () => ({ distinctId: FIXTURE_USERS[0].distinctId }) };
  for (const [options, args] of [[known, {}], [known, { distinctId: "somebody-else" }], [{ identify: async () => null }, { distinctId: "ben" }], [{}, { distinctId: "ben" }]]) {
    await side({ options }, async (both) => {
      for (const key of ["checkout-redesign", "pricing-experiment", "dark-theme"]) {
        const [mine, theirs] = await both("getFeatureFlag", { key, ...args });
        assert.notEqual(mine, undefined);
        assert.equal(mine, theirs, key);
      }
    });
  }
  await side({}, async (both) => assert.deepEqual(await both("getFeatureFlag", { key: "dark-theme" }), ["rejects", "rejects"]));
});
