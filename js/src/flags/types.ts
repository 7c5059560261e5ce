import type { Reason, SnapshotInfo, User } from "../types.js";

/** What is known of one flag's type. */
export interface FlagType {
  value: boolean | string;
  payload?: unknown;
}

/** Flag key -> its type, as `flagpost types` writes it. Without one every key is allowed. */
export type FlagTypes<M = any> = { [K in keyof M]: FlagType };

/** The keys of a flag map. */
export type KeyOf<M> = keyof M & string;

/** What a flag's value may be. */
export type ValueOf<M, K extends keyof M> = M[K] extends { value: infer V } ? V : boolean | string;

/** What a flag's payload may be. */
export type PayloadOf<M, K extends keyof M> = M[K] extends { payload: infer P } ? P : unknown;

/** Any flags: the map of a client that was given none. */
export interface AnyFlags {
  [key: string]: FlagType;
}

/** Which snapshot answers, and how old it is. */
export interface SnapshotState {
  /** The snapshot's digest: another one means other definitions. */
  readonly version: string | null;
  /** What the snapshot says of itself; null for plain definitions. */
  readonly info: SnapshotInfo | null;
  /** Seconds since PostHog last said that these definitions are current, whenever it is read. */
  readonly ageSeconds: number | null;
  /** Whether it was older than the reader's `maxAge`. */
  readonly stale: boolean;
}

/**
 * Why a flag has no value: only PostHog's server can tell, or the snapshot is older than the reader's `maxAge` (the
 * reasons of `evaluate`); no flag of that key; no snapshot at all; or an evaluator that failed, which `onError` is told.
 */
export type NoValueReason = Reason | "flag_not_found" | "no_snapshot" | "evaluation_failed";

/** All that is known of one flag for one user. */
export interface FlagResult<V = boolean | string, P = unknown> {
  readonly key: string;
  /** `true`, `false`, or the variant's name; undefined if nothing here could tell. */
  readonly value: V | undefined;
  /** Whether the value is `true` or a variant. */
  readonly enabled: boolean;
  /** The variant's name, if the value is one. */
  readonly variant: string | undefined;
  readonly payload: P | undefined;
  /** Who gave the value. */
  readonly source: "snapshot" | "remote" | "override" | "none";
  /** Why there is no value; null if there is one. */
  readonly reason: NoValueReason | null;
  /** The snapshot that was asked; null if there was none. */
  readonly snapshot: SnapshotState | null;
}

/** What belongs to the request at hand. Workers' `ctx` is one. */
export interface RequestContext {
  /** Lets work go on after the answer was sent. */
  waitUntil?(work: Promise<unknown>): void;
}

/** Options of `forUser`. */
export interface ForUserOptions {
  /** The request's context: work that may wait (refreshing, events) is handed to its `waitUntil`. */
  ctx?: RequestContext | undefined;
  /** The flags that will be asked for. Only these are asked of PostHog when a remote fallback is set. */
  flagKeys?: readonly string[] | undefined;
  /** Whether reading a flag is recorded as an exposure, where the client has `exposures`. Default: true. */
  sendFeatureFlagEvents?: boolean | undefined;
}

/** Answers flags; made once by `createFlags`, at module scope. */
export interface Flags<M extends FlagTypes<M> = AnyFlags> {
  /**
   * Flags for one user. Waits for the snapshot, and for the remote fallback if there is one; the answers are
   * synchronous. The user is read when a flag is first asked for: don't change it until then.
   *
   * @throws FlagpostError `invalid_user` as a rejected promise; with `strict`, what the reader throws
   */
  forUser(user: User, options?: ForUserOptions): Promise<UserFlags<M>>;
}

/** Values and payloads of all flags that have one, by key. */
export interface FlagsAndPayloads<M extends FlagTypes<M> = AnyFlags> {
  featureFlags: Partial<{ [K in KeyOf<M>]: ValueOf<M, K> }>;
  /** Falsy payloads (0, "", false) are left out, as posthog-node does here. */
  featureFlagPayloads: Partial<{ [K in KeyOf<M>]: PayloadOf<M, K> }>;
}

/**
 * The flags of one user. Every method is synchronous and asks nobody; a flag is evaluated when it is first read,
 * at the time at which `forUser` was called, and keeps that answer.
 *
 * The names and answers are posthog-node's. What differs: a flag without a value is undefined, never null; the
 * default of `isEnabled` and `getFeatureFlag` is a second argument; there is no payload of another value than the
 * user's (`matchValue`), and no `only` or `onlyAccessed`.
 */
export interface UserFlags<M extends FlagTypes<M> = AnyFlags> {
  /** Whether the flag is `true` or has a variant; the default (`false`) if it has no value. */
  isEnabled<K extends KeyOf<M>>(key: K, defaultValue?: boolean): boolean;
  /** The flag's value; the default if it has none. */
  getFeatureFlag<K extends KeyOf<M>>(key: K): ValueOf<M, K> | undefined;
  getFeatureFlag<K extends KeyOf<M>>(key: K, defaultValue: ValueOf<M, K>): ValueOf<M, K>;
  /** The parsed payload of the flag's value; no exposure, as in posthog-node. The same object each time. */
  getFeatureFlagPayload<K extends KeyOf<M>>(key: K): PayloadOf<M, K> | undefined;
  /** The flag's value, payload, and where they come from. */
  getFeatureFlagResult<K extends KeyOf<M>>(key: K): FlagResult<ValueOf<M, K>, PayloadOf<M, K>>;
  /** The values of all flags that have one. No exposure. */
  getAllFlags(): FlagsAndPayloads<M>["featureFlags"];
  /** The same, with the payloads. */
  getAllFlagsAndPayloads(): FlagsAndPayloads<M>;
  /** The flags that have no value, and why: posthog-node's `unresolvedFlags`. */
  readonly unresolved: Readonly<Partial<Record<KeyOf<M>, NoValueReason>>>;
  /** The snapshot that answers; null if there is none. */
  readonly snapshot: SnapshotState | null;
}
