import { CHECKSUM, isSnapshot } from "./frame.js";

/** The key under which the refresher writes unless told otherwise. */
export const DEFAULT_KEY = "flagpost";

/** Where snapshots are read. Implement it to read from anywhere. */
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
   */
  read(previous: { version: string } | undefined): Promise<SourceResult>;
}

/** What a source found. The version is any text that differs when the bytes do. */
export type SourceResult = { bytes: Uint8Array | ArrayBuffer; version: string } | "unchanged" | null;

/**
 * A version for bytes from a source that knows none: their length, and the last eight bytes, which in
 * a snapshot are the checksum. Undefined for bytes that are no snapshot.
 */
export function versionOf(buffer: ArrayBuffer): string | undefined {
  const bytes = new Uint8Array(buffer);
  return isSnapshot(bytes) ? `${bytes.length}-${bytes.subarray(-CHECKSUM).join(".")}` : undefined;
}

/** A read without help from the source: the bytes' own version says whether they changed. */
export function resultOf(buffer: ArrayBuffer, previous: { version: string } | undefined): SourceResult {
  const version = versionOf(buffer) ?? "";
  if (version !== "" && version === previous?.version) return "unchanged";
  return { bytes: buffer, version };
}
