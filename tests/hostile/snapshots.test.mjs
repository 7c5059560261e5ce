/** Damaged snapshots: refused, or the same answers; never a trap, never another answer. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { evaluate, load } from "flagpost";
import { compiledSnapshot, sectionEnd } from "../../js/test/compiler.mjs";
import { xxh64 } from "../../js/test/snapshot.mjs";
import { assertAlive, filter, flag, refused, USER } from "./support.mjs";

const slim = createRequire(import.meta.url)("flagpost/slim");
const folder = new URL("../../engine/tests/corpus/snapshots/", import.meta.url);
const header = { format: 1, digest: "sha256:", fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T10:00:00Z", generator: "test" };
const definitions = { flags: [flag("pro", [filter("plan", "exact", "pro")]), flag("free", [filter("plan", "exact", "free")])] };
const COMPILED = "compiled";
const snapshots = readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(new URL(name, folder)))]);
assert.ok(snapshots.length > 0);
snapshots.push([COMPILED, compiledSnapshot(header, definitions)]);

/** The bytes up to here are what the evaluator looks at; behind them are the definitions, for the compiler. */
const readOf = (name, bytes) => (name === COMPILED ? sectionEnd(bytes, "CODE") : bytes.length);

for (const [name, bytes] of snapshots) {
  test(`${name}: cut anywhere it is refused, except right behind what is read`, () => {
    for (let end = 1; end < bytes.length; end++) {
      if (end !== readOf(name, bytes)) refused(() => load(bytes.slice(0, end)), "damaged_snapshot", "invalid_json");
      else assert.deepEqual(evaluate(bytes.slice(0, end), USER), evaluate(bytes, USER));
    }
  });

  test(`${name}: with any one bit flipped in what is read it is refused`, () => {
    for (let bit = 0; bit < readOf(name, bytes) * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      refused(() => evaluate(flipped, USER), "damaged_snapshot", "invalid_json");
    }
  });

  test(`${name}: with a frame that lies under a fitting checksum it is refused, or says the same`, () => {
    const expected = JSON.stringify(evaluate(bytes.slice(), USER));
    const sections = new DataView(bytes.buffer).getUint32(8, true);
    let same = 0;
    for (let at = 8; at < 12 + 16 * sections; at += 4) {
      const old = new DataView(bytes.buffer).getUint32(at, true);
      for (const number of [0, 1, 64, 65, old - 1, old + 1, old + 16, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]) {
        const forged = bytes.slice();
        const view = new DataView(forged.buffer);
        view.setUint32(at, number, true);
        view.setBigUint64(forged.length - 8, xxh64(forged.subarray(0, -8)), true);
        try {
          assert.equal(JSON.stringify(evaluate(forged, USER)), expected, `${number} at ${at}`);
          same++;
        } catch (error) {
          assert.ok(["damaged_snapshot", "invalid_json", "invalid_definitions"].includes(error.code), `${number} at ${at}: ${error.code} ${error.message}`);
        }
      }
    }
    assert.ok(same > 0, "the reserved bytes at least mean nothing");
    assertAlive();
  });
}

test("a compiled snapshot whose definitions are damaged answers from what is compiled", () => {
  const bytes = compiledSnapshot({ ...header, etag: '"other"' }, definitions);
  for (let at = readOf(COMPILED, bytes); at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 0x20;
    for (const flagpost of [{ load, evaluate }, slim]) {
      const loaded = flagpost.load(changed);
      assert.deepEqual(flagpost.evaluate(loaded, USER).featureFlags, { pro: true, free: false }, `byte ${at}`);
      loaded.free();
    }
  }
});
