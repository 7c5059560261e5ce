/** The contract over a real Deno KV, and what its writer promises beside it. Prints a line for each that holds. */
import assert from "node:assert/strict";
import * as flagpost from "flagpost";
import { cases } from "./contract.mjs";

const { denoKvSource, writeDenoKv } = flagpost;
const [first, second, many, manyOthers] = Deno.args.map((file) => Deno.readFileSync(file));

async function withKv(rule, work) {
  const kv = await Deno.openKv(":memory:");
  try {
    await work(kv);
    console.log(rule);
  } finally {
    kv.close();
  }
}

async function keysIn(kv) {
  const keys = [];
  for await (const { key } of kv.list({ start: [""], end: ["z"] })) keys.push(key);
  return keys;
}

for (const pair of [[first, second], [many, manyOthers]]) {
  for (const [rule, check] of Object.entries(cases)) {
    await withKv(rule, (kv) => {
      const store = {
        source: denoKvSource(kv),
        broken: denoKvSource(kv, { key: "k".repeat(3000) }),
        put: (bytes) => writeDenoKv(kv, bytes),
        remove: () => kv.delete(["flagpost"]),
      };
      return check(store, pair, flagpost);
    });
  }
}

await withKv("what is replaced leaves nothing behind", async (kv) => {
  for (const bytes of [many, first, many, second]) assert.equal(await writeDenoKv(kv, bytes), "written");
  assert.equal((await keysIn(kv)).length, 2);
});

await withKv("of two writers at once one is told of a conflict, and what is stored is whole", async (kv) => {
  const results = await Promise.all([writeDenoKv(kv, many), writeDenoKv(kv, first), writeDenoKv(kv, second)]);
  assert.deepEqual(results.sort(), ["conflict", "conflict", "written"]);
  const found = await denoKvSource(kv).read(undefined);
  const stored = new Uint8Array(found.bytes);
  assert.ok([many, first, second].some((bytes) => bytes.length === stored.length && bytes.every((byte, index) => byte === stored[index])));
  const used = new Set((await keysIn(kv)).slice(1).map(([, version]) => version));
  assert.deepEqual([...used], [found.version]);
});

await withKv("a writer that expects something else is told of a conflict", async (kv) => {
  const source = denoKvSource(kv, { key: "flags" });
  const write = (bytes, expected) => writeDenoKv(kv, bytes, { key: "flags", expected });
  assert.equal(await write(first, "another"), "conflict");
  assert.equal(await write(first, null), "written");
  assert.equal(await write(second, null), "conflict");
  const found = await source.read(undefined);
  assert.equal(await write(second, found.version), "written");
  assert.notEqual(await source.read({ version: found.version }), "unchanged");
});

await withKv("a reader that is overtaken reads the newer snapshot", async (kv) => {
  await writeDenoKv(kv, many);
  let overtaken = false;
  const slow = new Proxy(kv, {
    get(target, name) {
      if (name !== "getMany") return Reflect.get(target, name).bind(target);
      return async (keys) => {
        const found = await target.getMany(keys);
        if (!overtaken) await writeDenoKv(kv, second);
        overtaken = true;
        return found;
      };
    },
  });
  const found = await denoKvSource(slow).read(undefined);
  assert.deepEqual(new Uint8Array(found.bytes), second);
});

await withKv("a part that is missing is an error, and bytes that are no snapshot are not written", async (kv) => {
  await writeDenoKv(kv, many);
  const [, ...chunks] = await keysIn(kv);
  await kv.delete(chunks[3]);
  await assert.rejects(denoKvSource(kv).read(undefined), { code: "source_failed", message: /misses a part/ });
  const damaged = [new Uint8Array(), new TextEncoder().encode('{"flags":[]}'), first.subarray(0, -1), "text", null];
  for (const bytes of damaged) await assert.rejects(writeDenoKv(kv, bytes), { code: "invalid_input" });
});

await withKv("what a writer left that ended half-way is removed after an hour, and not before", async (kv) => {
  const at = (ms) => `${String(ms).padStart(15, "0")}-left`;
  const [old, recent] = [at(Date.now() - 3_700_000), at(Date.now() - 3_500_000)];
  for (const version of [old, recent]) await kv.set(["flagpost", version, 0], new Uint8Array(9));
  await writeDenoKv(kv, first);
  const versions = new Set((await keysIn(kv)).slice(1).map(([, version]) => version));
  assert.ok(!versions.has(old) && versions.has(recent));
});

/** Deno KV for one writer: `beforeHead` runs before it points, `beforeList` and `afterFound` while it tidies up. */
function watched(kv, { beforeHead, beforeList, afterFound }) {
  const atomic = () => {
    const transaction = kv.atomic();
    const { set, commit } = transaction;
    let isHead = false;
    transaction.set = (key, value) => {
      isHead ||= key.length === 1;
      return set.call(transaction, key, value);
    };
    transaction.commit = async () => {
      if (isHead) await beforeHead?.();
      return commit.call(transaction);
    };
    return transaction;
  };
  async function* list(...args) {
    await beforeList?.();
    for await (const entry of kv.list(...args)) {
      await afterFound?.();
      yield entry;
    }
  }
  return { get: (key) => kv.get(key), getMany: (keys) => kv.getMany(keys), atomic, list };
}

/** A writer whose clock is hours behind: its parts look given up. Stops before it points, until it is let. */
function lateWriter(kv, bytes) {
  const { now } = Date;
  Date.now = () => now() - 7_200_000;
  const [staged, allowed] = [Promise.withResolvers(), Promise.withResolvers()];
  const beforeHead = () => {
    Date.now = now;
    staged.resolve();
    return allowed.promise;
  };
  const result = writeDenoKv(watched(kv, { beforeHead }), bytes);
  return { staged: staged.promise, finish: () => (allowed.resolve(), result) };
}

async function isStored(kv, bytes) {
  assert.deepEqual(new Uint8Array((await denoKvSource(kv).read(undefined)).bytes), bytes);
}

await withKv("a writer whose parts were removed as given up points at nothing", async (kv) => {
  let late;
  const beforeList = () => (late = lateWriter(kv, many)).staged;
  assert.equal(await writeDenoKv(watched(kv, { beforeList }), second), "written");
  assert.equal(await late.finish(), "conflict");
  await isStored(kv, second);
});

await withKv("parts that look given up are not removed once a head points at them", async (kv) => {
  let late;
  const beforeList = () => (late = lateWriter(kv, many)).staged;
  const afterFound = async () => assert.equal(await late.finish(), "written");
  assert.equal(await writeDenoKv(watched(kv, { beforeList, afterFound }), second), "written");
  await isStored(kv, many);
});
