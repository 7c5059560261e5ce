import { readsClock } from "../clock.js";
import type { FlagResult, FlagTypes, KeyOf, NoValueReason, PayloadOf, SnapshotState, UserFlags, ValueOf } from "../flags/types.js";
import { evaluate, evaluateFlag } from "../entry/inline-slim.js";
import type { Answer, Answers, Definitions, User } from "../types.js";

/** A snapshot that was loaded in one call of a function, and its bytes. */
export interface LoadedSnapshot {
  readonly definitions: Definitions;
  readonly bytes: ArrayBuffer;
}

/** One user's answers from one snapshot, or from none. */
export class SnapshotFlags<M extends FlagTypes<M>> implements UserFlags<M> {
  readonly #loaded: LoadedSnapshot | null;
  readonly #user: User;
  readonly #clock: () => Date;
  #now: Date | undefined;
  #snapshot: SnapshotState | undefined;

  constructor(loaded: LoadedSnapshot | null, user: User, clock: () => Date) {
    this.#loaded = loaded;
    this.#user = user;
    this.#clock = clock;
  }

  get snapshot(): SnapshotState | null {
    if (this.#loaded === null) return null;
    const { definitions } = this.#loaded;
    return (this.#snapshot ??= {
      version: definitions.info?.digest ?? null,
      info: definitions.info,
      // The age is not looked at before it is asked for: Convex keeps what reads the clock for seconds only.
      get ageSeconds() {
        return definitions.ageSeconds;
      },
      stale: false,
    });
  }

  isEnabled<K extends KeyOf<M>>(key: K, defaultValue = false): boolean {
    const value = this.getFeatureFlag(key);
    return value === undefined ? defaultValue : value !== false;
  }

  getFeatureFlag<K extends KeyOf<M>>(key: K): ValueOf<M, K> | undefined;
  getFeatureFlag<K extends KeyOf<M>>(key: K, defaultValue: ValueOf<M, K>): ValueOf<M, K>;
  getFeatureFlag<K extends KeyOf<M>>(key: K, defaultValue?: ValueOf<M, K>): ValueOf<M, K> | undefined {
    const { value } = this.getFeatureFlagResult(key);
    return value === undefined ? defaultValue : value;
  }

  getFeatureFlagPayload<K extends KeyOf<M>>(key: K): PayloadOf<M, K> | undefined {
    return this.getFeatureFlagResult(key).payload;
  }

  getFeatureFlagResult<K extends KeyOf<M>>(key: K): FlagResult<ValueOf<M, K>, PayloadOf<M, K>> {
    const answer = this.#answer(key);
    const value = typeof answer === "object" && "value" in answer ? answer.value : undefined;
    return {
      key,
      value: value as ValueOf<M, K> | undefined,
      enabled: value !== undefined && value !== false,
      variant: typeof value === "string" ? value : undefined,
      payload: (typeof answer === "object" && "payload" in answer ? answer.payload : undefined) as PayloadOf<M, K> | undefined,
      source: value === undefined ? "none" : "snapshot",
      reason: typeof answer === "string" ? answer : "unresolved" in answer ? answer.unresolved : null,
      snapshot: this.snapshot,
    };
  }

  getAllFlags(): Partial<{ [K in KeyOf<M>]: ValueOf<M, K> }> {
    return this.answers().featureFlags as Partial<{ [K in KeyOf<M>]: ValueOf<M, K> }>;
  }

  /** The answers of all flags, or of some. */
  answers(flagKeys?: readonly string[]): Answers {
    if (this.#loaded === null) return { featureFlags: {}, featureFlagPayloads: {}, unresolved: {} };
    return evaluate(this.#loaded.definitions, this.#user, { flagKeys, now: this.#time() });
  }

  #answer(key: string): Answer | NoValueReason {
    if (this.#loaded === null) return "no_snapshot";
    return evaluateFlag(this.#loaded.definitions, key, this.#user, { now: this.#time() }) ?? "flag_not_found";
  }

  /** The time that relative dates count from; any will do where there are none. */
  #time(): Date {
    return (this.#now ??= this.#loaded !== null && readsClock(this.#loaded.bytes) ? this.#clock() : new Date(0));
  }
}
