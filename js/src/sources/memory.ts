import { resultOf, type Source } from "../source.js";

/** A source whose bytes are put into it. */
export interface MemorySource extends Source {
  /** What the next read finds; null: nothing. Don't write over the bytes afterwards. */
  set(bytes: Uint8Array | ArrayBuffer | null): void;
}

/**
 * Reads bytes that are at hand: those that a bundler's import of a snapshot file gives, or a test's.
 *
 * @param bytes A snapshot, or definitions as JSON. Default: nothing, until `set`.
 */
export function memorySource(bytes: Uint8Array | ArrayBuffer | null = null): MemorySource {
  let stored = bytes;
  return {
    describe: "the snapshot in memory",
    writtenBy: "set(bytes)",
    read: async (previous) => (stored === null ? null : resultOf(stored, previous)),
    set(next) {
      stored = next;
    },
  };
}
