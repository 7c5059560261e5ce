import { CHUNK_BYTES } from "./limits.js";

/**
 * A content, cut to fit into documents, and also where the part of a snapshot ends that evaluation needs:
 * whoever evaluates reads no further.
 */
export function piecesOf(content: ArrayBuffer, front = 0): ArrayBuffer[] {
  const pieces: ArrayBuffer[] = [];
  for (let start = 0; start < content.byteLength; ) {
    const end = Math.min(start + CHUNK_BYTES, start < front ? front : Infinity, content.byteLength);
    pieces.push(content.slice(start, end));
    start = end;
  }
  return pieces;
}
