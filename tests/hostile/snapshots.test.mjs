/** Damaged snapshots: refused, or the same answers; never a trap, never another answer. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { evaluate, load } from "flagpost";
import { xxh64 } from "../../js/test/snapshot.mjs";
import { assertAlive, refused, USER } from "./support.mjs";

const folder = new URL("../../engine/tests/corpus/snapshots/", import.meta.url);
const snapshots = readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(new URL(name, folder)))]);
assert.ok(snapshots.length > 0);

for (const [name, bytes] of snapshots) {
  test(`${name}: cut anywhere it is refused`, () => {
    for (let end = 1; end < bytes.length; end++) refused(() => load(bytes.slice(0, end)), "damaged_snapshot", "invalid_json");
  });

  test(`${name}: with any one bit flipped it is refused`, () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      refused(() => evaluate(flipped, USER), "damaged_snapshot", "invalid_json");
    }
  });

  test(`${name}: with a frame that lies under a fitting checksum it is refused, or says the same`, () => {
    const expected = JSON.stringify(evaluate(bytes, USER));
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
