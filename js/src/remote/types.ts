import type { Known } from "../flags/origin.js";
import type { User } from "../types.js";

/** What PostHog's server said of one flag. */
export interface RemoteFlag extends Known {
  readonly id: number | undefined;
  readonly version: number | undefined;
  readonly reason: string | undefined;
  readonly hasExperiment: boolean | undefined;
}

/** What PostHog's server said of one user. */
export interface RemoteAnswers {
  /** By key; only flags that have a value. */
  readonly flags: ReadonlyMap<string, RemoteFlag>;
  readonly requestId: string | undefined;
  /** Milliseconds since 1970. */
  readonly evaluatedAt: number | undefined;
  /** In the words of `$feature_flag_error`. */
  readonly errors: readonly string[];
  /** Whether PostHog asks for minimal exposure events. */
  readonly minimal: boolean;
}

/** Decides flags that cannot be decided here. `remoteFallback` makes one. */
export interface RemoteFallback {
  /** Asks for some flags, or all. Never rejects; null if nothing was heard. */
  ask(user: User, flagKeys: readonly string[] | undefined): Promise<RemoteAnswers | null>;
}
