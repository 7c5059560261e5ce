/** Who flags are evaluated for. */
export interface User {
  /** PostHog's distinct id, which rollouts and variants hash. */
  distinctId: string;
  /** Group type -> key of the group the user is in. */
  groups?: Record<string, string> | undefined;
  /** Properties of the person. `distinct_id` is added unless given; put `$device_id` here. */
  personProperties?: Record<string, unknown> | undefined;
  /** Group type -> properties of that group. `$group_key` is added unless given. */
  groupProperties?: Record<string, Record<string, unknown>> | undefined;
}

/**
 * Why a flag cannot be decided here. The names are posthog-node's, but for the last: `stale_snapshot` is given only
 * for definitions of a reader with `maxAge` and `onStale: "unresolved"`.
 */
export type Reason =
  | "experience_continuity"
  | "unsupported_definition"
  | "unresolved_dependency"
  | "missing_context"
  | "stale_snapshot";

/** The answers for one user: plain objects, fresh for every call. */
export interface Answers {
  /** Flag key -> `true`, `false`, or the name of the variant. */
  featureFlags: Record<string, boolean | string>;
  /** Flag key -> parsed payload, for flags that have one. Falsy payloads are left out, as posthog-node does. */
  featureFlagPayloads: Record<string, unknown>;
  /** Flag key -> why only PostHog's server can tell. Such a flag is in neither of the others. */
  unresolved: Record<string, Reason>;
}

/** The answer for one flag: its value, with a payload if it has one, or why there is none. */
export type Answer =
  | { value: boolean | string; payload?: unknown }
  | { unresolved: Reason };

/** Options of one evaluation. */
export interface EvaluateOptions {
  /** The flags to evaluate; keys that do not exist are ignored. Default: all of them. */
  flagKeys?: readonly string[] | undefined;
  /** The time that relative dates ("30 days ago") count from. Default: the present. */
  now?: Date | undefined;
}

/** Options of loading definitions. */
export interface LoadOptions {
  /**
   * Keep only the flags of these evaluation contexts, and those of none, as posthog-node's option of
   * the same name does. Default: keep all flags.
   */
  evaluationContexts?: readonly string[] | undefined;
}

/** A snapshot, or PostHog's definitions as JSON bytes, JSON text, or a parsed object. */
export type Loadable = Uint8Array | ArrayBuffer | string | object;

/** What a snapshot says of itself. Times are RFC 3339, UTC. */
export interface SnapshotInfo {
  /** PostHog's `ETag` for these definitions, or null. */
  etag: string | null;
  /** `sha256:` and 64 hex digits, of the definitions' bytes. */
  digest: string;
  /** When PostHog sent these definitions. */
  fetchedAt: string;
  /** When PostHog last said that these definitions are current. */
  checkedAt: string;
  /** Version of the snapshot format of the writer. */
  format: number;
}

/** Definitions, compiled and ready for `evaluate`. Keep it and use it for every user. */
export interface Definitions {
  /** What the snapshot says of itself; null for plain definitions. */
  readonly info: SnapshotInfo | null;
  /** Seconds since `info.checkedAt`; null for plain definitions. */
  readonly ageSeconds: number | null;
  /** The snapshot's digest: another one means other definitions. Null for plain definitions. */
  readonly version: string | null;
  /** Whether they were older than `maxAge` when a reader gave them out. False for those of `load`. */
  readonly stale: boolean;
  /** Keys of all flags, in the order of the definitions. */
  readonly flagKeys: readonly string[];
  /** What was wrong with the definitions, for people, a line each; empty when all is well. */
  readonly problems: readonly string[];
  /** Gives back the memory. Using it afterwards throws `FlagpostError` with code `freed`. */
  free(): void;
}
