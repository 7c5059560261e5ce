/** `setFlagDefinitions`, under convex-test with Convex's limits on transactions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { convexTest } from "convex-test";
import { defineSchema, makeFunctionReference } from "convex/server";
import * as flagpost from "flagpost/convex";
import { compiledSnapshot, digested, sectionEnd } from "./compiler.mjs";
import { snapshot } from "./snapshot.mjs";

const header = { format: 1, digest: "sha256:", fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T10:00:00Z", generator: "test" };
const flag = (key, name = "") => ({ key, name, active: true, filters: { groups: [{ properties: [], rollout_percentage: 100 }] } });
const snapshotOf = (flags, more) => compiledSnapshot({ ...header, ...more }, { flags });

function deployment() {
  const modules = { "./_generated/api.js": async () => ({}), "./flagpost.js": async () => flagpost };
  const convex = convexTest({ schema: defineSchema(flagpost.flagpostTables), modules, transactionLimits: true });
  const mutation = (name, args) => convex.mutation(makeFunctionReference(`flagpost:${name}`), args);
  return {
    set: (bytes, more) => mutation("setFlagDefinitions", { snapshot: new Uint8Array(bytes).buffer, ...more }),
    mutation,
    stored: (name) => convex.run(({ db }) => flagpost.readSnapshot({ db }, name)),
    count: (table) => convex.run(({ db }) => db.query(table).count()),
    chunks: () => convex.run(({ db }) => db.query("flagpostChunks").collect()),
  };
}

const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

test("it is internal, and puts a snapshot into place that is there to the last byte", async () => {
  assert.equal(flagpost.setFlagDefinitions.isInternal, true);
  const it = deployment();
  const bytes = snapshotOf([flag("a")]);
  assert.deepEqual(await it.set(bytes), { status: "committed", left: false });
  assert.ok(same((await it.stored()).bytes, bytes));
  const [front, rest] = await it.chunks();
  assert.deepEqual([front.bytes.byteLength, rest.bytes.byteLength], [sectionEnd(bytes, "CODE"), bytes.length - sectionEnd(bytes, "CODE")]);
});

test("the same snapshot once more writes nothing; an older one that comes back is whole", async () => {
  const it = deployment();
  const [one, two] = [snapshotOf([flag("a")]), snapshotOf([flag("b")])];
  await it.set(one);
  const { version } = await it.stored();
  assert.deepEqual(await it.set(one), { status: "unchanged", left: false });
  assert.equal((await it.stored()).version, version);
  for (const bytes of [two, one, two, one]) {
    assert.equal((await it.set(bytes)).status, "committed");
    assert.ok(same((await it.stored()).bytes, bytes));
    assert.deepEqual([await it.count("flagpostItems"), await it.count("flagpostChunks"), await it.count("flagpostUploads")], [1, 2, 0]);
  }
  assert.equal((await it.set(one, { name: "other" })).status, "committed");
  assert.ok(same((await it.stored("other")).bytes, one));
  assert.ok(same((await it.stored()).bytes, one));
});

test("what cannot be evaluated is refused, and what is stored stays", async () => {
  const it = deployment();
  const good = snapshotOf([flag("good")]);
  await it.set(good);
  const fresh = () => snapshotOf([flag("never")], { etag: "never loaded" });
  const damaged = fresh();
  damaged[sectionEnd(damaged, "CODE") - 20] ^= 1;
  const elsewhere = fresh();
  elsewhere[elsewhere.length - 20] ^= 1;
  const unknown = digested(compiledSnapshot(header, { flags: [flag("a")] }, (ruleset) => ruleset.fill(9, 0, 4)));
  for (const [bytes, message] of [
    [damaged, /write it again with `refresher run`/],
    [elsewhere, /its checksum does not match/],
    [fresh().slice(0, -20), /damaged/],
    [fresh().slice(0, sectionEnd(fresh(), "CODE")), /ends behind its ruleset: pass all of its bytes/],
    [snapshotOf([]), /the snapshot has no flags: pass allowEmpty/],
    [unknown, /write a snapshot with a current refresher/],
    [snapshot(header, { flags: [flag("a")] }), /write a snapshot with a current refresher/],
    [new TextEncoder().encode('{"flags":[]}'), /these are definitions, not a snapshot/],
    [new Uint8Array(), /an empty buffer/],
    [new Uint8Array(8 * 1024 * 1024 + 1), /8388609 bytes is more than the 8388608 that one call takes: let `refresher run/],
  ]) {
    await assert.rejects(it.set(bytes), message);
    assert.ok(same((await it.stored()).bytes, good), String(message));
  }
  assert.equal((await it.set(snapshotOf([]), { allowEmpty: true })).status, "committed");
});

test("large snapshots follow each other within the limits of a transaction, and sweep deletes the old ones", async () => {
  const it = deployment();
  const name = "n".repeat(4 * 1024 * 1024);
  for (const key of ["a", "b"]) {
    const bytes = snapshotOf([flag(key, name), flag(`${key}2`, name.slice(100_000))]);
    assert.ok(bytes.length > 7.5 * 1024 * 1024 && bytes.length < 8 * 1024 * 1024);
    assert.equal((await it.set(bytes)).status, "committed");
    assert.ok(same((await it.stored()).bytes, bytes));
  }
  while (await it.mutation("sweep", {}));
  assert.deepEqual([await it.count("flagpostChunks"), await it.count("flagpostUploads")], [10, 0]);
});
