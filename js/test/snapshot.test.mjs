import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createReader, evaluateFlag, kvSource, load } from "flagpost";
import { definitions, flag } from "./definitions.mjs";
import { snapshot, xxh64 } from "./snapshot.mjs";

const header = {
  format: 1,
  etag: '"abc"',
  digest: `sha256:${"0".repeat(64)}`,
  fetched_at: "2024-05-01T10:00:00Z",
  checked_at: "2024-05-01T11:00:00Z",
  generator: "test 1",
};
const sample = definitions(flag("on"));
const user = { distinctId: "user-1" };

test("the checksum of the tests' own writer is xxHash64", () => {
  const of = (text) => xxh64(new TextEncoder().encode(text)).toString(16);
  assert.deepEqual([of(""), of("abc")], ["ef46db3751d8e999", "44bc2cf5ad770999"]);
});

test("a snapshot answers like its definitions and tells where they come from", () => {
  const loaded = load(snapshot(header, sample));
  assert.deepEqual(evaluateFlag(loaded, "on", user), { value: true });
  assert.deepEqual(loaded.info, {
    etag: '"abc"', digest: header.digest, fetchedAt: header.fetched_at, checkedAt: header.checked_at, format: 1,
  });
});

test("the age counts from when PostHog was last asked, and never goes below zero", () => {
  const loaded = load(snapshot(header, sample));
  mock.timers.enable({ apis: ["Date"], now: Date.parse("2024-05-01T11:01:30Z") });
  try {
    assert.equal(loaded.ageSeconds, 90);
    mock.timers.setTime(Date.parse("2024-05-01T10:59:00Z"));
    assert.equal(loaded.ageSeconds, 0);
  } finally {
    mock.timers.reset();
  }
});

test("a snapshot of a newer writer is read: unknown sections, members and a later format", () => {
  const newer = { ...header, format: 7, etag: undefined, compiled_by: "later" };
  const loaded = load(snapshot(newer, sample, { RULE: new Uint8Array(33) }));
  assert.deepEqual(evaluateFlag(loaded, "on", user), { value: true });
  assert.equal(loaded.info.format, 7);
  assert.equal(loaded.info.etag, null);
});

test("a snapshot with any byte changed, or cut anywhere, is refused as damaged", () => {
  const bytes = snapshot({ ...header, etag: '"never loaded"' }, sample);
  for (let at = 8; at < bytes.length; at += 3) {
    const changed = bytes.slice();
    changed[at] ^= 0x20;
    assert.throws(() => load(changed), { code: "damaged_snapshot", message: /refresher run/ }, `byte ${at}`);
    assert.throws(() => load(bytes.slice(0, at)), { code: "damaged_snapshot" }, `cut at ${at}`);
  }
});

test("an unchanged snapshot in KV is not compiled again, a changed one is", async () => {
  const stored = [snapshot(header, sample), snapshot(header, sample), snapshot({ ...header, checked_at: "2024-05-01T12:00:00Z" }, sample)];
  const asked = [];
  const binding = { get: async (...parts) => { asked.push(parts); return stored.shift().buffer; } };
  const reader = createReader({ source: kvSource(binding, { key: "flags", cacheTtl: 30 }), ttl: 0 });
  const first = await reader.current();
  assert.equal(await reader.current(), first);
  const renewed = await reader.current();
  assert.notEqual(renewed, first);
  assert.equal(reader.status().info.checkedAt, "2024-05-01T12:00:00Z");
  assert.deepEqual(asked[0], ["flags", { type: "arrayBuffer", cacheTtl: 30 }]);
});
