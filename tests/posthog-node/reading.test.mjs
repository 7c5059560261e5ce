/** A posthog-node without credentials while what it reads comes, changes and fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlagpostError } from "flagpost";
import { flagDefinitionCache } from "flagpost/posthog-node";
import { PostHog } from "posthog-node";
import { startPostHog } from "../support/posthog.mjs";
import { calm, openReference } from "../support/reference.mjs";
import { onFlag, snapshotOf, sourceWith, textOf } from "./snapshots.mjs";

const USER = { distinctId: "user", groups: {}, personProperties: {}, groupProperties: {} };

/** A provider on a source, and the codes of what it reported. */
function providerOn(source, options) {
  const errors = [];
  const provider = flagDefinitionCache({ source, onError: (error) => errors.push(error), ...options });
  return { provider, errors, codes: () => errors.map(({ code }) => code) };
}

/** Gives a client on this provider to `work`: `keys` polls, and tells which flags are on. */
async function withClient(provider, work) {
  const reference = openReference({ provider });
  const keys = async () => {
    await calm(() => reference.client.reloadFeatureFlags());
    const { featureFlags } = await reference.client.getAllFlagsAndPayloads(USER.distinctId, { onlyEvaluateLocally: true });
    // Their order is that in which their hashes were ready.
    return Object.keys(featureFlags).filter((key) => featureFlags[key] !== false).sort();
  };
  try {
    await work(keys, reference.client);
  } finally {
    await reference.close();
  }
}

test("an empty store gives no flags and says how to fill it; once filled, the next poll answers", async () => {
  const source = sourceWith(null);
  const { provider, errors, codes } = providerOn(source);
  await withClient(provider, async (keys) => {
    assert.deepEqual(await keys(), []);
    assert.ok(codes().length > 0 && codes().every((code) => code === "no_snapshot"), codes().join());
    assert.match(errors[0].message, /^no snapshot at the source of this test: write one with "refresher run"$/);
    errors.length = 0;
    source.content = snapshotOf(textOf(onFlag("first")));
    assert.deepEqual(await keys(), ["first"]);
    assert.deepEqual(errors, []);
  });
});

test("a changed snapshot is taken at the next poll, and an unchanged one is neither sent nor parsed again", async () => {
  const source = sourceWith(snapshotOf(textOf(onFlag("first"))));
  const { provider, errors } = providerOn(source);
  await withClient(provider, async (keys) => {
    assert.deepEqual(await keys(), ["first"]);
    const before = await provider.getFlagDefinitions();
    assert.deepEqual(await keys(), ["first"]);
    assert.equal(await provider.getFlagDefinitions(), before);
    assert.equal(source.sent, 1);
    source.content = snapshotOf(textOf(onFlag("second")));
    assert.deepEqual(await keys(), ["second"]);
    assert.equal(source.sent, 2);
  });
  assert.deepEqual(errors, []);
});

test("whatever goes wrong with the source, the last good definitions stay, and it is reported", async () => {
  const good = snapshotOf(textOf(onFlag("good")));
  const spoilt = snapshotOf(textOf(onFlag("good")));
  spoilt[Buffer.from(spoilt).lastIndexOf("good")] += 1;
  const failures = [
    [new Error("the network is down"), "source_failed"],
    [null, "no_snapshot"],
    [good.subarray(0, -20), "damaged_snapshot"],
    [spoilt, "damaged_snapshot"],
    [Buffer.from('{"flags":['), "invalid_json"],
    [Buffer.from('{"detail":"not found"}'), "invalid_definitions"],
    [Buffer.from("null"), "invalid_definitions"],
  ];
  const source = sourceWith(good);
  const { provider, errors, codes } = providerOn(source);
  await withClient(provider, async (keys) => {
    assert.deepEqual(await keys(), ["good"]);
    for (const [content, code] of failures) {
      errors.length = 0;
      source.content = content;
      assert.deepEqual(await keys(), ["good"], code);
      assert.deepEqual(codes(), [code]);
      assert.ok(errors[0] instanceof FlagpostError && errors[0].message.includes(source.describe), errors[0].message);
    }
    source.content = snapshotOf(textOf(onFlag("good"), onFlag("mended")));
    errors.length = 0;
    assert.deepEqual(await keys(), ["good", "mended"]);
    assert.deepEqual(errors, []);
  });
});

test("all that posthog-node takes from definitions is in what it is given, under both names", async () => {
  const cohorts = { 7: { type: "AND", values: [] } };
  const more = { group_type_mapping: { 0: "company" }, cohorts, minimal_flag_called_events: true, property_matching_version: 2 };
  const expected = {
    flags: [onFlag("a")], cohorts,
    group_type_mapping: { 0: "company" }, groupTypeMapping: { 0: "company" },
    minimal_flag_called_events: true, minimalFlagCalledEvents: true,
    property_matching_version: 2, propertyMatchingVersion: 2,
  };
  const { group_type_mapping, minimal_flag_called_events, property_matching_version, ...older } = expected;
  const contents = [
    snapshotOf(JSON.stringify({ flags: [onFlag("a"), null], ...more })),
    Buffer.from(JSON.stringify({ flags: [onFlag("a")], ...more })),
    Buffer.from(JSON.stringify(expected)),
    Buffer.from(JSON.stringify(older)),
  ];
  for (const content of contents) {
    const { provider, errors } = providerOn(sourceWith(content));
    assert.deepEqual(await provider.getFlagDefinitions(), expected);
    assert.deepEqual(errors, []);
  }
});

test("within the TTL the source is asked once, for however many clients, and a failure is tried again soon", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
  const source = sourceWith(snapshotOf(textOf(onFlag("first"))));
  const { provider, codes } = providerOn(source, { ttl: 60 });
  const read = async () => (await provider.getFlagDefinitions()).flags[0].key;
  assert.deepEqual([await read(), await read(), source.asked.length], ["first", "first", 1]);
  t.mock.timers.tick(60_000);
  source.content = new Error("down");
  assert.deepEqual([await read(), await read(), source.asked.length, codes()], ["first", "first", 2, ["source_failed"]]);
  t.mock.timers.tick(5_000);
  source.content = snapshotOf(textOf(onFlag("second")));
  assert.deepEqual([await read(), source.asked.length], ["second", 3]);
});

test("a clock that is set back does not keep old definitions in use", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
  const source = sourceWith(snapshotOf(textOf(onFlag("first"))));
  const { provider } = providerOn(source, { ttl: 60 });
  const read = async () => (await provider.getFlagDefinitions()).flags[0].key;
  await read();
  source.content = snapshotOf(textOf(onFlag("second")));
  t.mock.timers.setTime(1_600_000_000_000);
  assert.deepEqual([await read(), await read(), source.asked.length], ["second", "second", 2]);
});

test("settings that cannot work are refused at once", () => {
  const source = sourceWith(null);
  for (const options of [{}, { source: [] }, { source, ttl: -1 }, { source, timeout: 0 }]) {
    assert.throws(() => flagDefinitionCache(options), { code: "invalid_options" });
  }
});

test("a source that does not answer counts as failed, and the client goes on", async () => {
  const source = sourceWith(snapshotOf(textOf(onFlag("good"))));
  const { provider, errors } = providerOn(source, { timeout: 0.05 });
  assert.equal((await provider.getFlagDefinitions()).flags.length, 1);
  source.read = () => new Promise(() => {});
  assert.equal((await provider.getFlagDefinitions()).flags.length, 1);
  assert.deepEqual(errors.map(({ message }) => message), ["the source of this test did not answer within 0.05 seconds"]);
});

test("of a chain the first good source answers, and what stands behind it is never gone back to", async () => {
  const [first, second] = [sourceWith(null), sourceWith(snapshotOf(textOf(onFlag("embedded"))))];
  const { provider, codes } = providerOn([first, second]);
  const read = async () => (await provider.getFlagDefinitions()).flags[0].key;
  assert.deepEqual([await read(), await read(), second.sent, codes()], ["embedded", "embedded", 1, ["no_snapshot", "no_snapshot"]]);
  first.content = snapshotOf(textOf(onFlag("fresh")));
  assert.equal(await read(), "fresh");
  first.content = new Error("down");
  const asked = second.asked.length;
  assert.deepEqual([await read(), second.asked.length], ["fresh", asked]);
});

test("a slow read does not put older definitions back", async () => {
  const waiting = [];
  const source = { describe: "the slow source", read: () => new Promise((resolve) => waiting.push(resolve)) };
  const { provider } = providerOn(source);
  const give = (index, key) => waiting[index]({ bytes: snapshotOf(textOf(onFlag(key))), version: key });
  const [slow, fast] = [provider.getFlagDefinitions(), provider.getFlagDefinitions()];
  give(1, "newer");
  assert.equal((await fast).flags[0].key, "newer");
  give(0, "older");
  assert.equal((await slow).flags[0].key, "newer");
});

test("a client with credentials takes what is stored, and asks PostHog only while nothing is", async () => {
  const posthog = await startPostHog({ definitions: textOf(onFlag("fetched")) });
  const source = sourceWith(null);
  const { provider } = providerOn(source);
  const client = new PostHog(posthog.projectKey, {
    host: posthog.url, personalApiKey: posthog.personalKey, flagDefinitionCacheProvider: provider, featureFlagsPollingInterval: null,
  });
  try {
    const keys = async () => Object.keys(await client.getAllFlags("user", { onlyEvaluateLocally: true })).sort();
    assert.deepEqual(await keys(), ["fetched"]);
    source.content = snapshotOf(textOf(onFlag("stored")));
    await client.reloadFeatureFlags();
    assert.deepEqual([await keys(), posthog.requests.length], [["stored"], 1]);
  } finally {
    await client.shutdown(2000);
    await posthog.close();
  }
});
