/** A writer of snapshots from the description in engine/src/snapshot.rs, apart from the one in Rust. */

const MASK = (1n << 64n) - 1n;
const [P1, P2, P3, P4, P5] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];
const rotate = (value, bits) => ((value << bits) | (value >> (64n - bits))) & MASK;
const round = (lane, input) => (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK;

/** xxHash64 with seed 0. */
export function xxh64(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = P5;
  if (bytes.length >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane], view.getBigUint64(at + 8 * lane, true));
    }
    hash = [1n, 7n, 12n, 18n].reduce((sum, bits, lane) => (sum + rotate(lanes[lane], bits)) & MASK, 0n);
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * P1 + P4) & MASK;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4) & MASK;
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]) * P5) & MASK), 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

/** A snapshot of definitions (a value, stringified here) under a header, with further sections, in an order. */
export function snapshot(header, definitions, more = {}, order = ["HEAD", "DEFS", ...Object.keys(more)]) {
  const encode = (value) => new TextEncoder().encode(JSON.stringify(value));
  const bodies = { HEAD: encode(header), DEFS: encode(definitions), ...more };
  const sections = order.map((tag) => [tag, bodies[tag]]);
  const start = 12 + 16 * sections.length;
  const bytes = new Uint8Array(start + sections.reduce((sum, [, body]) => sum + body.length, 0) + 8);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("FLAGPOST"));
  view.setUint32(8, sections.length, true);
  let offset = start;
  for (const [index, [tag, body]] of sections.entries()) {
    const entry = 12 + 16 * index;
    bytes.set(new TextEncoder().encode(tag), entry);
    view.setUint32(entry + 8, offset, true);
    view.setUint32(entry + 12, body.length, true);
    bytes.set(body, offset);
    offset += body.length;
  }
  view.setBigUint64(offset, xxh64(bytes.subarray(0, offset)), true);
  return bytes;
}
