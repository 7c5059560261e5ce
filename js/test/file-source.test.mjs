import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createReader } from "flagpost";
import { fileSource } from "flagpost/node";
import { compiledSnapshot } from "./compiler.mjs";
import { bytesOf, definitions, flag } from "./definitions.mjs";

const HEADER = { format: 1, etag: null, digest: "", fetched_at: "2026-01-01T00:00:00Z", checked_at: "2026-01-01T00:00:00Z" };
const snapshotOf = (key) => compiledSnapshot(HEADER, definitions(flag(key)));

function inFolder(work) {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "flagpost-file-"));
    try {
      await work(folder, join(folder, "flags.snapshot"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

/** Replaces a file as the refresher does. */
function replace(path, bytes) {
  writeFileSync(`${path}.tmp`, bytes);
  renameSync(`${path}.tmp`, path);
}

test("the file, its folder and their URLs are read as the same snapshot", inFolder(async (folder, file) => {
  writeFileSync(file, snapshotOf("a"));
  for (const path of [file, folder, pathToFileURL(file), pathToFileURL(`${folder}/`)]) {
    assert.deepEqual((await createReader({ source: fileSource(path) }).current()).flagKeys, ["a"]);
  }
  renameSync(file, join(folder, "other.snapshot"));
  assert.deepEqual((await createReader({ source: fileSource(folder, { name: "other.snapshot" }) }).current()).flagKeys, ["a"]);
}));

test("an unchanged file is not read again, a touched one is not loaded again, a replaced one is", inFolder(async (folder, file) => {
  const source = fileSource(folder);
  replace(file, snapshotOf("a"));
  const first = await source.read(undefined);
  assert.equal(await source.read(first), "unchanged");
  utimesSync(file, 1, 1);
  assert.equal(await source.read(first), "unchanged");
  replace(file, snapshotOf("b"));
  const second = await source.read(first);
  assert.notEqual(second.version, first.version);
  assert.deepEqual((await createReader({ source }).current()).flagKeys, ["b"]);
  assert.equal(await source.read(second), "unchanged");
}));

test("definitions as JSON have a version too", inFolder(async (_, file) => {
  replace(file, bytesOf(definitions(flag("a"))));
  const source = fileSource(file);
  const first = await source.read(undefined);
  assert.equal(await source.read(first), "unchanged");
  replace(file, bytesOf(definitions(flag("b"))));
  assert.equal(new TextDecoder().decode((await source.read(first)).bytes), JSON.stringify(definitions(flag("b"))));
}));

test("a file that is replaced again and again is always read whole", inFolder(async (_, file) => {
  const versions = ["a", "b".repeat(40_000)].map((key) => Buffer.from(bytesOf(definitions(flag(key)))));
  replace(file, versions[0]);
  const source = fileSource(file);
  const seen = new Set();
  for (let turn = 0; turn < 200; turn++) {
    const [{ bytes }] = await Promise.all([source.read(undefined), new Promise((resolve) => setImmediate(() => resolve(replace(file, versions[turn % 2]))))]);
    seen.add(versions.findIndex((version) => version.equals(Buffer.from(bytes))));
  }
  assert.ok(!seen.has(-1), "a mixture was read");
}));

test("what is missing is no snapshot, and the message names the place and the way to fill it", inFolder(async (folder, file) => {
  for (const path of [file, folder, join(folder, "none"), join(folder, "none", "flags.snapshot")]) {
    const source = fileSource(path);
    assert.equal(await source.read(undefined), null);
    await assert.rejects(createReader({ source }).current(), {
      code: "no_snapshot", message: `no snapshot at the file ${path}: write one with "refresher run --store file:FOLDER"`,
    });
  }
}));

test("a folder in the file's place is a failure of the source", inFolder(async (folder) => {
  await assert.rejects(createReader({ source: fileSource(folder, { name: "." }) }).current(), { code: "source_failed", message: /EISDIR/ });
}));

test("what is no path is refused", () => {
  for (const path of ["", undefined, 7, new URL("https://host/flags.snapshot")]) {
    assert.throws(() => fileSource(path), { code: "invalid_options" });
  }
});
