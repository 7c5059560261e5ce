import { viewOf } from "./bytes.js";
import { CHECKSUM, isSnapshot } from "./frame.js";

/** The key under which the refresher writes unless told otherwise. */
export const DEFAULT_KEY = "flagpost";

/**
 * Where snapshots are read. Implement it to read from anywhere. Make one once, beside the reader; it keeps no
 * promise, stream or other thing of one request for the next, for Workers forbid using it there.
 */
export interface Source {
  /** What is read, for messages, without secrets: `the KV key "flagpost"`. */
  readonly describe: string;
  /** How a snapshot gets there, for messages: `refresher run --store kv:NAMESPACE_ID`. */
  readonly writtenBy?: string;
  /**
   * Reads the snapshot.
   *
   * @param previous The version of the last good read, so that an unchanged one need not be sent.
   * @returns the bytes and their version, `"unchanged"`, or null when nothing is stored
   * @throws anything; a reader makes it a `FlagpostError` with code `source_failed`, unless it is one already
   */
  read(previous: { version: string } | undefined): Promise<SourceResult>;
}

/** What a source found. The version is any text that differs when the bytes do. */
export type SourceResult = { bytes: Uint8Array | ArrayBuffer; version: string } | "unchanged" | null;

/**
 * A version for bytes from a source that knows none: their length, and the last eight bytes, which in
 * a snapshot are the checksum. Undefined for bytes that are no snapshot.
 */
export function versionOf(buffer: Uint8Array | ArrayBuffer): string | undefined {
  const bytes = viewOf(buffer);
  return bytes !== undefined && isSnapshot(bytes) ? `${bytes.length}-${bytes.subarray(-CHECKSUM).join(".")}` : undefined;
}

/** A read without help from the source: the bytes' own version says whether they changed. */
export function resultOf(buffer: Uint8Array | ArrayBuffer, previous: { version: string } | undefined): SourceResult {
  const version = versionOf(buffer) ?? "";
  if (version !== "" && version === previous?.version) return "unchanged";
  return { bytes: buffer, version };
}
