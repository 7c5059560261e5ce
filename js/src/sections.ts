import { damaged } from "./errors.js";
import { frameOf } from "./frame.js";

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
  const { head, defs } = frame;
  if (defs === undefined) throw damaged("it holds no definitions");
  return { header: head && snapshot.subarray(head.start, head.end), definitions: snapshot.subarray(defs.start, defs.end) };
}
