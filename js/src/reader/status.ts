import type { FlagpostError } from "../errors.js";
import type { SnapshotInfo } from "../types.js";

/**
 * What a reader has counted since it was made. Every call of `current` is a hit or a miss; those that share a read
 * with another one of their request are counted with that.
 */
export interface ReaderStats {
  /** Calls that were answered from memory, at once. */
  hits: number;
  /** Calls that waited for a read, or were refused because an earlier one had failed. */
  misses: number;
  /** Of the hits, those whose snapshot's TTL had passed: a read was going on. */
  expiredHits: number;
  /** Reads that brought other definitions. */
  refreshes: number;
  /** Reads that brought nothing new. */
  unchanged: number;
  /** Failures of a source. */
  errors: number;
  /** Calls whose snapshot was older than `maxAge`, whatever was done then. */
  staleAnswers: number;
}

/** What a reader knows of itself. */
export interface ReaderStatus {
  /** What is read: of a chain, all sources in order. */
  source: string;
  /** Of a chain, the source that gave the snapshot at hand. */
  from: string | null;
  /** Whether a snapshot is at hand. */
  loaded: boolean;
  /** The snapshot at hand. */
  info: SnapshotInfo | null;
  /** Seconds since PostHog last said that the snapshot at hand is current. */
  ageSeconds: number | null;
  /** Whether that is more than `maxAge`. */
  stale: boolean;
  /** When the source last gave a good answer. */
  readAt: Date | null;
  /** From when on a call of `current` asks the source again; null if none has been read, or none will be. */
  nextReadAt: Date | null;
  /** The failure of the last read, null if it went well. */
  lastError: FlagpostError | null;
  /** Counts, and the share of calls that were hits: null before the first call. */
  stats: ReaderStats & { hitRate: number | null };
}

/** Nothing counted yet. */
export function noStats(): ReaderStats {
  return { hits: 0, misses: 0, expiredHits: 0, refreshes: 0, unchanged: 0, errors: 0, staleAnswers: 0 };
}

/** The counts at this moment, with the rate. */
export function statsOf(stats: ReaderStats): ReaderStatus["stats"] {
  const calls = stats.hits + stats.misses;
  return { ...stats, hitRate: calls === 0 ? null : stats.hits / calls };
}
