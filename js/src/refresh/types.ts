/** What a refresh ended in, in the refresher's words. */
export type RefreshStatus = "updated" | "unchanged" | "empty" | "stale" | "skipped" | "error";

/** Why a refresh did not end in current definitions, or did so by somebody else's hand. */
export type RefreshReason =
  | "auth"
  | "quota"
  | "rate-limited"
  | "cold-cache"
  | "unexpected-status"
  | "fetch-failed"
  | "parse-failed"
  | "invalid-shape"
  | "too-large"
  | "empty-refused"
  | "mass-deletion"
  | "older"
  | "read-failed"
  | "write-failed"
  | "write-unverified"
  | "write-conflict"
  | "store-limit"
  | "superseded"
  | "pinned";

/** The snapshot that a target holds. */
export interface SnapshotFacts {
  /** `sha256:` and 64 hex digits, of the definitions. */
  digest: string;
  etag: string | null;
  /** When PostHog sent the definitions, RFC 3339. */
  fetchedAt: string;
  /** When PostHog last said that they are current, as far as it is stored, RFC 3339. */
  checkedAt: string;
  /** The whole snapshot's size. */
  bytes: number;
}

/**
 * What became of a refresh. Its members are those of the line that `refresher run --json` prints, with what
 * that says of its one store beside them. It holds no secret.
 */
export interface RefreshReport {
  status: RefreshStatus;
  /** For `stale`, `skipped`, `error`, and for `empty` when a policy emptied the target. */
  reason: RefreshReason | null;
  /** What the refresher would exit with: 0 unless something is to be looked at. */
  exitCode: number;
  /** The same for people. */
  message: string;
  /** How often PostHog was asked; asking again because another writer was faster does not count. */
  attempts: number;
  /** Flags among the definitions that this run stored; null when it stored none. */
  flags: number | null;
  /** What the evaluator had to pass over in those definitions. */
  problems: string[];
  /** The target, as it describes itself. */
  store: string;
  /** Whether this run changed what readers read. */
  written: boolean;
  /** What is stored now; null when that is nothing or not known. */
  snapshot: SnapshotFacts | null;
}

/** What a target held. The version is any text that differs when the bytes do. */
export interface TargetContent {
  bytes: Uint8Array | ArrayBuffer;
  version: string;
}

/** Where snapshots are written. Implement it to write anywhere; errors that it throws are reported. */
export interface Target {
  /** What is written, for messages, without secrets: `the KV key "flagpost"`. */
  readonly describe: string;
  /** Most bytes it takes. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** Reads what is stored; null when that is nothing. */
  read(): Promise<TargetContent | null>;
  /**
   * Replaces what is stored at once, or changes nothing and says `"conflict"`: when the version stored is
   * not `expected`, or there is one and `expected` is null. Where the store cannot compare and write in one
   * step, it compares just before it writes.
   */
  write(bytes: Uint8Array, expected: string | null): Promise<"written" | "conflict">;
}

/** What a refresh may do. The refresher has the same policies. */
export interface RefreshPolicy {
  /** What a used-up quota (402) does to the snapshot. posthog-node and @posthog/convex clear. Default: `"keep"`. */
  onQuota?: "keep" | "clear" | undefined;
  /**
   * Clears a snapshot that was last checked so many seconds ago when PostHog's cache is cold (503), as
   * @posthog/convex does after 300. Default: none is cleared.
   */
  clearColdAfter?: number | undefined;
  /** Lets an empty list of flags replace one that is not. Default: false. */
  allowEmpty?: boolean | undefined;
  /** The share of the stored flags, in percent, that may vanish at once; two always may. Default: 50. */
  maxRemoved?: number | undefined;
  /** Publishes whatever the evaluator can read. Default: false. */
  force?: boolean | undefined;
  /** Seconds after which an unchanged snapshot is written again with a new `checkedAt`; 0: never. Default: 3,600. */
  heartbeat?: number | undefined;
}

/** How patient a refresh is. All times are milliseconds. */
export interface RefreshPatience {
  /** How often a failed request is made again. Default: 3. */
  retries?: number | undefined;
  /** Pause before the first retry; it doubles from one to the next, with jitter. Default: 1,000. */
  retryDelayMs?: number | undefined;
  /** Longest pause before a retry; a Retry-After beyond it ends the run. Default: 30,000. */
  maxRetryDelayMs?: number | undefined;
  /** Longest time for one request with its answer. Default: 30,000. */
  timeoutMs?: number | undefined;
  /** Most bytes of definitions taken, after decompression. Default: 16 MiB. */
  maxSize?: number | undefined;
}

/** What is used of `fetch`. The signal is an `AbortSignal`, which not every project has a type for. */
export type RefreshFetch = (
  url: string,
  init: { headers: Record<string, string>; redirect: "manual"; signal: any },
) => Promise<{
  status: number;
  headers: { get(name: string): string | null };
  /** A `ReadableStream` of bytes. */
  body?: unknown;
  arrayBuffer(): Promise<ArrayBuffer>;
}>;
