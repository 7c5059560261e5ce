import { CHECKSUM } from "./frame.js";

/** The constants of xxHash64. */
const P1 = 0x9e37_79b1_85eb_ca87n;
const P2 = 0xc2b2_ae3d_27d4_eb4fn;
const P3 = 0x1656_67b1_9e37_79f9n;
const P4 = 0x85eb_ca77_c2b2_ae63n;
const P5 = 0x27d4_eb2f_1656_67c5n;
const STRIPE = 32;

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const turned = (value: bigint, bits: bigint) => u64(value << bits) | (value >> (64n - bits));
const mixed = (lane: bigint, word: bigint) => u64(turned(u64(lane + word * P2), 31n) * P1);

/** Whether a snapshot ends with the checksum of all before it: see `engine/src/snapshot.rs`. */
export function isWhole(snapshot: Uint8Array): boolean {
  const end = snapshot.length - CHECKSUM;
  if (end < 0) return false;
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.length);
  return view.getBigUint64(end, true) === hashOf(view, end);
}

/** xxHash64, with seed 0, of the first bytes. */
function hashOf(view: DataView, length: number): bigint {
  let at = 0;
  let hash = P5;
  if (length >= STRIPE) {
    let [a, b, c, d] = [u64(P1 + P2), P2, 0n, u64(-P1)];
    for (; at + STRIPE <= length; at += STRIPE) {
      a = mixed(a, view.getBigUint64(at, true));
      b = mixed(b, view.getBigUint64(at + 8, true));
      c = mixed(c, view.getBigUint64(at + 16, true));
      d = mixed(d, view.getBigUint64(at + 24, true));
    }
    hash = u64(turned(a, 1n) + turned(b, 7n) + turned(c, 12n) + turned(d, 18n));
    for (const lane of [a, b, c, d]) hash = u64((hash ^ mixed(0n, lane)) * P1 + P4);
  }
  hash = u64(hash + BigInt(length));
  for (; at + 8 <= length; at += 8) hash = u64(turned(hash ^ mixed(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
  if (at + 4 <= length) {
    hash = u64(turned(hash ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < length; at++) hash = u64(turned(hash ^ u64(BigInt(view.getUint8(at)) * P5), 11n) * P1);
  hash = u64((hash ^ (hash >> 33n)) * P2);
  hash = u64((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}
