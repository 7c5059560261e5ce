/**
 * What every source does, whatever it reads. Runs in Node and in Deno: each case is given a store and throws if
 * the source does not keep to it.
 *
 * A store is `{ source, put(bytes), remove(), broken, secret }`: `broken` is a source of the same kind that cannot be
 * read, `secret` is in neither's messages. `put` and `remove` are missing where the content cannot change.
 */
import assert from "node:assert/strict";

const bytesOf = ({ bytes }) => [...new Uint8Array(bytes)];

export const cases = {
  "nothing stored is null": async ({ source, remove }) => {
    if (remove === undefined) return;
    await remove();
    assert.equal(await source.read(undefined), null);
  },
  "the first read gives the bytes, exactly, and a version": async ({ source, put }, [first]) => {
    await put?.(first);
    const found = await source.read(undefined);
    assert.deepEqual(bytesOf(found), [...first]);
    assert.ok(typeof found.version === "string" && found.version !== "");
  },
  "what has that version is unchanged, as often as it is read": async ({ source, put }, [first]) => {
    await put?.(first);
    const { version } = await source.read(undefined);
    for (let read = 0; read < 2; read++) assert.equal(await source.read({ version }), "unchanged");
  },
  "what has changed is given with another version": async ({ source, put }, [first, second]) => {
    if (put === undefined) return;
    await put(first);
    const before = await source.read(undefined);
    await put(second);
    const found = await source.read({ version: before.version });
    assert.deepEqual(bytesOf(found), [...second]);
    assert.notEqual(found.version, before.version);
    assert.equal(await source.read({ version: found.version }), "unchanged");
  },
  "what was removed is null, also to one who knows its version": async ({ source, put, remove }, [first]) => {
    if (put === undefined) return;
    await put(first);
    const { version } = await source.read(undefined);
    await remove();
    assert.equal(await source.read({ version }), null);
  },
  "a reader loads it": async ({ source, put }, [first], { createReader }) => {
    await put?.(first);
    const definitions = await createReader({ source }).current();
    assert.deepEqual(definitions.flagKeys, ["first"]);
    assert.equal(definitions.version, "sha256:first");
  },
  "one that cannot be read is source_failed, and names itself without secrets": async ({ source, broken, secret }, _, { createReader }) => {
    assert.ok(source.describe.length > 0);
    if (broken === undefined) return;
    await assert.rejects(createReader({ source: broken }).current(), (error) => {
      assert.equal(error.code, "source_failed");
      assert.ok(error.message.includes(broken.describe), error.message);
      if (secret !== undefined) assert.ok(!`${source.describe} ${error.message} ${error.cause?.message}`.includes(secret), error.message);
      return true;
    });
  },
  "it says how a snapshot gets there, if it is known": async ({ source, remove }, _, { createReader }) => {
    if (remove === undefined || source.writtenBy === undefined) return;
    await remove();
    await assert.rejects(createReader({ source }).current(), ({ code, message }) => code === "no_snapshot" && message.includes(source.writtenBy));
  },
};
