/*
 * The frame of a snapshot: see `engine/src/snapshot.rs`. Little-endian: the magic "FLAGPOST", a u32
 * number of sections, for each a tag of four bytes, four zero bytes, its offset and its length as u32;
 * the sections, each right behind the one before; eight bytes of checksum.
 */
export const MAGIC = "FLAGPOST";
const MAX_SECTIONS = 64;
/** Bytes of one section's entry in the table. */
const ENTRY = 16;
/** Bytes of the checksum at a snapshot's end. */
export const CHECKSUM = 8;

/** Tags as u32. */
const HEAD = 0x44_41_45_48;
const CODE = 0x45_44_4f_43;
const DEFS = 0x53_46_45_44;

/** The layout of rulesets that this build's evaluator reads: `VERSION` of `engine/src/ruleset/layout.rs`. */
const RULESET_VERSION = 1;

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
  const frame = sectionsOf(bytes);
  return frame !== undefined && frame.end + CHECKSUM === bytes.length ? frame : undefined;
}

/**
 * The frame of bytes to evaluate, which may also end behind the ruleset: a store that bills by the byte reads no
 * further. A checksum of all before it is at the end of those, too. Definitions that are cut off are undefined.
 */
export function frontFrameOf(bytes: Uint8Array): Frame | undefined {
  const frame = sectionsOf(bytes);
  if (frame?.code?.end !== bytes.length || frame.head === undefined || frame.head.end > frame.code.start) return frameOf(bytes);
  return { ...frame, defs: undefined };
}

/**
 * How many bytes of a snapshot evaluation needs: those up to the end of its ruleset. Undefined when it needs all
 * of them, or when these, which are its first bytes, are too few to tell.
 */
export function frontOf(bytes: Uint8Array): number | undefined {
  if (!isSnapshot(bytes)) return undefined;
  const code = sectionsOf(bytes)?.code;
  if (code === undefined || code.start + 4 > bytes.length) return undefined;
  const version = viewOf(bytes).getUint32(code.start, true);
  return version === RULESET_VERSION ? code.end : undefined;
}

/** Where the sections of a snapshot lie, by its first bytes, and where the last of them ends. */
function sectionsOf(bytes: Uint8Array): (Frame & { end: number }) | undefined {
  const table = MAGIC.length + 4;
  if (bytes.length < table + CHECKSUM) return undefined;
  const view = viewOf(bytes);
  const count = view.getUint32(MAGIC.length, true);
  let next = table + count * ENTRY;
  if (count > MAX_SECTIONS || next > bytes.length) return undefined;
  let head: Section | undefined;
  let code: Section | undefined;
  let defs: Section | undefined;
  for (let at = table; at < table + count * ENTRY; at += ENTRY) {
    const start = view.getUint32(at + 8, true);
    if (start !== next) return undefined;
    const end = start + view.getUint32(at + 12, true);
    next = end;
    const tag = view.getUint32(at, true);
    if (tag === HEAD) head ??= { start, end };
    if (tag === CODE) code ??= { start, end };
    if (tag === DEFS) defs ??= { start, end };
  }
  return { head, code, defs, end: next };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
