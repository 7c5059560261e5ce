import { frontOf } from "../frame.js";
import { CHUNK_BYTES } from "./limits.js";

/**
 * A content, cut to fit into documents, and a snapshot behind its ruleset as well: whoever evaluates reads
 * no further.
 */
export function piecesOf(content: ArrayBuffer): ArrayBuffer[] {
  const front = frontOf(new Uint8Array(content)) ?? 0;
  const pieces: ArrayBuffer[] = [];
  for (let start = 0; start < content.byteLength; ) {
    const end = Math.min(start + CHUNK_BYTES, start < front ? front : Infinity, content.byteLength);
    pieces.push(content.slice(start, end));
    start = end;
  }
  return pieces;
}
