/** The functions that the refresher calls, under convex-test with Convex's limits on transactions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { convexTest } from "convex-test";
import { defineSchema, makeFunctionReference } from "convex/server";
import * as flagpost from "flagpost/convex";

const CHUNK = 960 * 1024;
const HOUR = 60 * 60 * 1000;

/** A fresh deployment with shorthands for its functions. */
function deployment() {
  const convex = convexTest({
    schema: defineSchema(flagpost.flagpostTables),
    modules: { "./_generated/api.js": async () => ({}), "./flagpost.js": async () => flagpost },
    transactionLimits: true,
  });
  const mutation = (name) => (args) => convex.mutation(makeFunctionReference(`flagpost:${name}`), args);
  const rows = (table) => convex.run(({ db }) => db.query(table).collect());
  return {
    convex,
    rows,
    stage: mutation("stage"),
    commit: mutation("commit"),
    remove: mutation("remove"),
    sweep: () => mutation("sweep")({}),
    read: (key, from = 0) => convex.query(makeFunctionReference("flagpost:read"), { key, from }),
    snapshot: (name) => convex.query(({ db }) => flagpost.readSnapshot({ db }, name)),
    /** Makes every upload an hour older. */
    age: () =>
      convex.run(async ({ db }) => {
        for (const { _id, touchedAt } of await db.query("flagpostUploads").collect()) {
          await db.patch(_id, { touchedAt: Math.max(0, touchedAt - HOUR - 1) });
        }
      }),
    async tables() {
      const count = (table) => convex.run(({ db }) => db.query(table).count());
      return { items: await count("flagpostItems"), chunks: await count("flagpostChunks"), uploads: await count("flagpostUploads") };
    },
  };
}

function content(length, seed = 1) {
  return Uint8Array.from({ length }, (_, at) => (Math.imul(at + seed, 2654435761) >>> 13) & 255).buffer;
}

/** Uploads a content as the refresher does; the commit is left to the caller. */
async function upload({ stage }, version, buffer, chunk = CHUNK) {
  for (let index = 0; index * chunk < buffer.byteLength; index++) {
    assert.equal(await stage({ version, index, bytes: buffer.slice(index * chunk, (index + 1) * chunk) }), true);
  }
  return { version, size: buffer.byteLength };
}

function same(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
}

async function sweepAll({ sweep }) {
  let calls = 1;
  while (await sweep()) calls++;
  return calls;
}

const committed = { status: "committed", left: false };

test("the functions are internal: without a deploy key nobody can call them", () => {
  for (const name of ["read", "stage", "commit", "remove", "sweep"]) assert.equal(flagpost[name].isInternal, true, name);
});

test("contents at the limits of chunks come back as they were", async () => {
  const it = deployment();
  for (const length of [0, 1, CHUNK - 1, CHUNK]) {
    const bytes = content(length);
    assert.deepEqual(await it.commit({ key: "flagpost", version: `v${length}`, size: length, bytes }), committed);
    const { bytes: stored, version } = await it.snapshot();
    assert.deepEqual([version, same(bytes, stored)], [`v${length}`, true]);
    assert.deepEqual(await it.tables(), { items: 1, chunks: length > 0 ? 1 : 0, uploads: 0 });
  }
  for (const length of [CHUNK + 1, 3 * CHUNK + 7]) {
    const bytes = content(length);
    const { status } = await it.commit({ key: "flagpost", ...(await upload(it, `v${length}`, bytes)) });
    assert.equal(status, "committed");
    assert.ok(same(bytes, (await it.snapshot()).bytes));
    const parts = [];
    while (parts.length < Math.ceil(length / CHUNK)) parts.push(...(await it.read("flagpost", parts.length)).pieces);
    assert.ok(same(bytes, Buffer.concat(parts.map((part) => Buffer.from(part)))));
  }
  await sweepAll(it);
  assert.deepEqual(await it.tables(), { items: 1, chunks: 4, uploads: 0 });
});

test("a chunk that would be no document is refused, and leaves nothing", async () => {
  const it = deployment();
  const bytes = content(CHUNK + 1);
  await assert.rejects(it.stage({ version: "v", index: 0, bytes }), /more than the 983040 it may have/);
  await assert.rejects(it.commit({ key: "flagpost", version: "v", size: CHUNK + 1, bytes }), /more than the 983040 it may have/);
  assert.deepEqual(await it.tables(), { items: 0, chunks: 0, uploads: 0 });
});

test("a snapshot longer than a query can read is refused in plain words", async () => {
  const it = deployment();
  await it.convex.run(({ db }) => db.insert("flagpostItems", { key: "flagpost", version: "v", size: 16 * 1024 * 1024, chunks: 18 }));
  await assert.rejects(it.snapshot(), /16777216 bytes are more than the 15728640 that a query can read/);
  assert.equal(await it.snapshot("another name"), null);
});

test("a write that expects something else changes nothing, and what it uploaded is deleted", async () => {
  const it = deployment();
  await it.commit({ key: "flagpost", version: "one", size: 3, bytes: content(3) });
  for (const expected of [null, "zero"]) {
    const claim = await upload(it, `two ${expected}`, content(30), 10);
    assert.deepEqual(await it.commit({ key: "flagpost", ...claim, expected }), { status: "conflict", left: false });
    assert.deepEqual(await it.commit({ key: "flagpost", ...claim, expected }), { status: "conflict", left: false });
  }
  assert.deepEqual(await it.commit({ key: "missing", version: "two", size: 1, bytes: content(1), expected: "one" }), {
    status: "conflict",
    left: false,
  });
  assert.equal((await it.snapshot()).version, "one");
  assert.deepEqual(await it.tables(), { items: 1, chunks: 1, uploads: 0 });
  assert.deepEqual(await it.commit({ key: "flagpost", version: "two", size: 1, bytes: content(1), expected: "one" }), committed);
});

test("of two writers that expect the same one succeeds", async () => {
  const it = deployment();
  for (let round = 0, expected = null; round < 5; round++) {
    const claims = await Promise.all(["a", "b"].map((writer) => upload(it, `${writer}${round}`, content(25, round), 10)));
    const answers = await Promise.all(claims.map((claim) => it.commit({ key: "flagpost", ...claim, expected })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), ["committed", "conflict"]);
    expected = (await it.snapshot()).version;
    assert.equal(expected, claims[answers.findIndex(({ status }) => status === "committed")].version);
  }
});

test("while a snapshot is written readers find the old one or the new one", async () => {
  const it = deployment();
  const contents = { old: content(25, 1), new: content(34, 2) };
  await it.commit({ key: "flagpost", ...(await upload(it, "old", contents.old, 10)) });
  const seen = [];
  const look = async () => {
    const { bytes, version } = await it.snapshot();
    assert.ok(same(contents[version], bytes));
    seen.push(version);
  };
  const write = async () => {
    const claim = await upload(it, "new", contents.new, 10);
    await it.commit({ key: "flagpost", ...claim, expected: "old" });
    await sweepAll(it);
  };
  const done = write();
  while ((await Promise.race([done, look()]), seen.at(-1) !== "new"));
  await done;
  assert.deepEqual([...new Set(seen)], ["old", "new"]);
});

test("an upload that was given up is swept after an hour, a few chunks at a time, and cannot be taken up again", async () => {
  const it = deployment();
  await upload(it, "killed", content(100), 10);
  await upload(it, "alive", content(100), 10);
  assert.equal(await it.sweep(), false);
  assert.deepEqual(await it.tables(), { items: 0, chunks: 20, uploads: 2 });

  await it.age();
  assert.equal(await it.stage({ version: "alive", index: 10, bytes: content(5) }), true);
  assert.equal(await it.sweep(), true);
  assert.deepEqual(await it.tables(), { items: 0, chunks: 21 - 4, uploads: 2 });
  assert.equal(await it.stage({ version: "killed", index: 10, bytes: content(5) }), false);
  assert.equal((await it.commit({ key: "flagpost", version: "killed", size: 100 })).status, "incomplete");
  await sweepAll(it);
  assert.deepEqual(await it.tables(), { items: 0, chunks: 11, uploads: 1 });
  assert.equal((await it.commit({ key: "flagpost", version: "alive", size: 105 })).status, "committed");
});

test("what was done is done when its request comes again, at once or much later", async () => {
  const it = deployment();
  const first = content(20);
  assert.equal(await it.stage({ version: "one", index: 0, bytes: first.slice(0, 10) }), true);
  assert.equal(await it.stage({ version: "one", index: 0, bytes: first.slice(0, 10) }), true);
  assert.equal(await it.stage({ version: "one", index: 2, bytes: first.slice(0, 10) }), false);
  assert.equal(await it.stage({ version: "one", index: 1, bytes: first.slice(10) }), true);
  const commit = { key: "flagpost", version: "one", size: 20, expected: null };
  assert.deepEqual(await it.commit(commit), committed);
  assert.deepEqual(await it.commit(commit), committed);
  // A chunk that arrives only now must neither appear in the content nor have it swept.
  assert.equal(await it.stage({ version: "one", index: 0, bytes: first.slice(0, 10) }), false);
  await it.age();
  await sweepAll(it);
  assert.ok(same(first, (await it.snapshot()).bytes));
  assert.deepEqual(await it.tables(), { items: 1, chunks: 2, uploads: 0 });

  assert.deepEqual(await it.commit({ key: "flagpost", version: "two", size: 1, bytes: content(1), expected: "one" }), committed);
  assert.equal((await it.commit(commit)).status, "conflict");
  assert.equal((await it.snapshot()).version, "two");
});

test("replacing and removing much is done in transactions that stay small", async () => {
  const it = deployment();
  const long = Buffer.alloc(18 * CHUNK, "long").buffer;
  await it.commit({ key: "long", ...(await upload(it, "one", long)) });
  await it.commit({ key: "long", ...(await upload(it, "two", content(60), 10)) });
  assert.deepEqual(await it.tables(), { items: 1, chunks: 6 + 18 - 4, uploads: 1 });
  assert.equal(await sweepAll(it), 4);
  assert.deepEqual(await it.tables(), { items: 1, chunks: 6, uploads: 0 });
  assert.equal(await it.remove({ key: "long" }), true);
  assert.equal(await it.read("long"), null);
  await sweepAll(it);
  assert.equal(await it.remove({ key: "long" }), false);
  assert.deepEqual(await it.tables(), { items: 0, chunks: 0, uploads: 0 });
});

test("whatever order requests come in, late and doubled ones among them, contents stay whole and nothing is left over", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const it = deployment();
    const contents = new Map();
    const requests = [];
    let state = seed;
    const random = (below) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % below;
    for (let step = 0; step < 150; step++) {
      const sent = random(3) === 0 ? requests[random(requests.length + 1)] : undefined;
      const request = sent ?? newRequest(it, random, contents, (await it.rows("flagpostItems")).map((item) => item.version));
      requests.push(request);
      await request();
      await assertWhole(it, contents);
    }
    await it.age();
    await sweepAll(it);
    assert.deepEqual(await it.rows("flagpostUploads"), []);
    await assertWhole(it, contents);
  }
});

/** A request of some writer: the next chunk of an upload, its commit, a removal, a sweep. */
function newRequest(it, random, contents, current) {
  const key = `key${random(2)}`;
  const version = `v${random(12)}`;
  if (!contents.has(version)) contents.set(version, content(random(4) * 10 + random(3), contents.size));
  const buffer = contents.get(version);
  const expected = [{}, { expected: null }, { expected: current[random(current.length)] ?? "gone" }][random(3)];
  switch (random(8)) {
    case 0:
      return () => it.remove({ key });
    case 1:
      return async () => (await it.age(), it.sweep());
    case 2:
    case 3:
      return () => it.commit({ key: `${key} of ${version}`, version, size: buffer.byteLength, ...expected });
    case 4: {
      const inline = `i${contents.size}`;
      contents.set(inline, content(random(10), 99));
      return () => it.commit({ key, version: inline, size: contents.get(inline).byteLength, bytes: contents.get(inline), ...expected });
    }
    default: {
      const index = random(Math.ceil(buffer.byteLength / 10) || 1);
      const bytes = buffer.slice(index * 10, (index + 1) * 10);
      return () => it.stage({ version, index, bytes });
    }
  }
}

async function assertWhole(it, contents) {
  const [items, chunks, uploads] = await Promise.all(["flagpostItems", "flagpostChunks", "flagpostUploads"].map(it.rows));
  for (const { version, size, chunks: count } of items) {
    const own = chunks.filter((chunk) => chunk.version === version).sort((a, b) => a.index - b.index);
    const bytes = Buffer.concat(own.map((chunk) => Buffer.from(chunk.bytes)));
    assert.deepEqual([own.length, bytes.length], [count, size], version);
    assert.ok(same(bytes, contents.get(version)), version);
  }
  const owners = new Set([...items, ...uploads].map(({ version }) => version));
  assert.equal(owners.size, items.length + uploads.length, "a version is one item's or one upload's");
  assert.deepEqual(chunks.filter((chunk) => !owners.has(chunk.version)), [], "every chunk belongs to something");
}
