import { damaged } from "./errors.js";
import { ENTRY, frameOf, MAGIC } from "./frame.js";

/** Tag of the definitions as u32. Apart from the frame's tags: whoever evaluates needs the ruleset alone. */
const DEFS = 0x53_46_45_44;

/** What of a snapshot is JSON, as views of its bytes. */
export interface JsonSections {
  /** What the snapshot says of itself; undefined if it has no header. */
  readonly header: Uint8Array | undefined;
  /** The definitions, byte for byte as PostHog sent them. */
  readonly definitions: Uint8Array;
}

/**
 * The parts of a snapshot that are JSON. Only its frame is looked at.
 *
 * @throws FlagpostError `damaged_snapshot` for what is cut or has no definitions
 */
export function jsonSectionsOf(snapshot: Uint8Array): JsonSections {
  const frame = frameOf(snapshot);
  if (frame === undefined) throw damaged("its sections do not fill it");
  const { head } = frame;
  return { header: head && snapshot.subarray(head.start, head.end), definitions: definitionsIn(snapshot) };
}

function definitionsIn(snapshot: Uint8Array): Uint8Array {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.length);
  const table = MAGIC.length + 4;
  const end = table + view.getUint32(MAGIC.length, true) * ENTRY;
  for (let at = table; at < end; at += ENTRY) {
    const start = view.getUint32(at + 8, true);
    if (view.getUint32(at, true) === DEFS) return snapshot.subarray(start, start + view.getUint32(at + 12, true));
  }
  throw damaged("it holds no definitions");
}
