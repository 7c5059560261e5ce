// Convex's limits (docs.convex.dev/production/state/limits): a document has 1 MiB at most, a
// transaction reads and writes 16 MiB at most, and a function takes and returns 16 MiB at most. What
// is used stays well below, since those who host Convex themselves may have lower ones.

/** Largest chunk in bytes: a document with room for its other fields. */
export const CHUNK_BYTES = 960 * 1024;

/**
 * Chunks that one answer to the refresher holds. Convex's library turns bytes to base64 within the
 * second that a function has, at some 20 MiB a second.
 */
export const CHUNKS_READ = 2;

/** Chunks that one mutation deletes. They are read for that, and count as written. */
export const CHUNKS_SWEPT = 4;

/** Largest snapshot in bytes that a query can read; the refresher writes no larger one. */
export const READABLE_BYTES = 15 * 1024 * 1024;

/** After so many milliseconds without a chunk an upload counts as given up. */
export const GIVEN_UP_MS = 60 * 60 * 1000;

/**
 * Largest snapshot in bytes that is put into place by one mutation: it is written, chunks of older ones
 * are deleted in the same transaction, and a second of time has to do for both.
 */
export const SET_BYTES = 8 * 1024 * 1024;
