/*
 * The frame of a snapshot: see `engine/src/snapshot.rs`. Little-endian: the magic "FLAGPOST", a u32
 * number of sections, for each a tag of four bytes, four zero bytes, its offset and its length as u32;
 * the sections, each right behind the one before; eight bytes of checksum.
 */
export const MAGIC = "FLAGPOST";
const MAX_SECTIONS = 64;
/** Bytes of one section's entry in the table. */
export const ENTRY = 16;
/** Bytes of the checksum at a snapshot's end. */
export const CHECKSUM = 8;

/** Tags as u32. */
const HEAD = 0x44_41_45_48;
const CODE = 0x45_44_4f_43;
const DEFS = 0x53_46_45_44;

/** Where a section lies, in bytes from the snapshot's start. */
export interface Section {
  readonly start: number;
  readonly end: number;
}

/** What a snapshot's frame says. A section that is missing is undefined. */
export interface Frame {
  readonly head: Section | undefined;
  /** The compiled ruleset and, behind it, the digest of all bytes before that. */
  readonly code: Section | undefined;
  /** The definitions as PostHog sent them. */
  readonly defs: Section | undefined;
}

/** Whether bytes begin like a snapshot; anything else may be definitions as JSON. */
export function isSnapshot(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, MAGIC.length)) === MAGIC;
}

/** The frame of a snapshot's bytes; undefined when it cannot be what was written. */
export function frameOf(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < MAGIC.length + 4 + CHECKSUM) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.getUint32(MAGIC.length, true);
  const table = MAGIC.length + 4;
  let next = table + count * ENTRY;
  if (count > MAX_SECTIONS || next + CHECKSUM > bytes.length) return undefined;
  let head: Section | undefined;
  let code: Section | undefined;
  let defs: Section | undefined;
  for (let at = table; at < table + count * ENTRY; at += ENTRY) {
    const start = view.getUint32(at + 8, true);
    const end = start + view.getUint32(at + 12, true);
    if (start !== next || end + CHECKSUM > bytes.length) return undefined;
    next = end;
    const tag = view.getUint32(at, true);
    if (tag === HEAD) head ??= { start, end };
    if (tag === CODE) code ??= { start, end };
    if (tag === DEFS) defs ??= { start, end };
  }
  return next + CHECKSUM === bytes.length ? { head, code, defs } : undefined;
}
