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

/** Which snapshot answered, and how old it was then. */
export interface SnapshotState {
  /** The snapshot's digest: another one means other definitions. */
  readonly version: string | null;
  /** What the snapshot says of itself; null for plain definitions. */
  readonly info: SnapshotInfo | null;
  /** Seconds since PostHog last said that these definitions are current. */
  readonly ageSeconds: number | null;
  /** Whether it was older than the reader's `maxAge`. */
  readonly stale: boolean;
}

/** Why a flag has no value. */
export type NoValueReason = Reason | "flag_not_found" | "stale_snapshot" | "no_snapshot";

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
}

/** Answers flags; made once by `createFlags`, at module scope. */
export interface Flags<M extends FlagTypes<M> = AnyFlags> {
  /** Flags for one user. Waits for the snapshot, and for the remote fallback if there is one; the answers are synchronous. */
  forUser(user: User, options?: ForUserOptions): Promise<UserFlags<M>>;
}

/** The flags of one user. Every method is synchronous and asks nobody. */
export interface UserFlags<M extends FlagTypes<M> = AnyFlags> {
  /** Whether the flag is `true` or has a variant; the default (`false`) if it has no value. */
  isEnabled<K extends KeyOf<M>>(key: K, defaultValue?: boolean): boolean;
  /** The flag's value; the default if it has none. */
  getFeatureFlag<K extends KeyOf<M>>(key: K): ValueOf<M, K> | undefined;
  getFeatureFlag<K extends KeyOf<M>>(key: K, defaultValue: ValueOf<M, K>): ValueOf<M, K>;
  /** The parsed payload of the flag's value. */
  getFeatureFlagPayload<K extends KeyOf<M>>(key: K): PayloadOf<M, K> | undefined;
  /** The flag's value, payload, and where they come from. */
  getFeatureFlagResult<K extends KeyOf<M>>(key: K): FlagResult<ValueOf<M, K>, PayloadOf<M, K>>;
  /** The values of all flags that have one. */
  getAllFlags(): Partial<{ [K in KeyOf<M>]: ValueOf<M, K> }>;
  /** The snapshot that answers; null if there is none. */
  readonly snapshot: SnapshotState | null;
}
