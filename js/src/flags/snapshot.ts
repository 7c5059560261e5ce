import { FlagpostError } from "../errors.js";
import { evaluate, evaluateFlag } from "../evaluate.js";
import type { Definitions, User } from "../types.js";
import { nothing, type AllFound, type Found, type Origin } from "./origin.js";
import type { SnapshotState } from "./types.js";

/** What a snapshot says of itself, for results. */
export function stateOf(definitions: Definitions): SnapshotState {
  const { version, info, stale } = definitions;
  return {
    version,
    info,
    // Not before it is asked for: Convex does not keep the answer of a query that reads the clock.
    get ageSeconds() {
      return definitions.ageSeconds;
    },
    stale,
  };
}

/** Flags evaluated from a snapshot, each when it is asked for. */
export class SnapshotOrigin implements Origin {
  readonly snapshot: SnapshotState;
  readonly #definitions: Definitions;
  readonly #user: User;
  readonly #now: Date;
  readonly #fail: (error: FlagpostError) => void;

  /** `fail` is told when the evaluator fails; it may throw. */
  constructor(definitions: Definitions, user: User, now: Date, fail: (error: FlagpostError) => void) {
    this.snapshot = stateOf(definitions);
    this.#definitions = definitions;
    this.#user = user;
    this.#now = now;
    this.#fail = fail;
  }

  find(key: string): Found {
    const answered = this.#ask(() => ({ answer: evaluateFlag(this.#definitions, key, this.#user, { now: this.#now }) }));
    if (answered === undefined) return nothing("evaluation_failed");
    const { answer } = answered;
    if (answer === undefined) return nothing("flag_not_found");
    if ("unresolved" in answer) return nothing(answer.unresolved);
    return { value: plain(answer.value), payload: answer.payload ?? undefined, source: "snapshot", reason: null };
  }

  all(): AllFound {
    // Handed on as they are: of many flags, each record is made when it is first read.
    return this.#ask(() => evaluate(this.#definitions, this.#user, { now: this.#now })) ?? this.#none();
  }

  #none(): AllFound {
    const keys = this.#ask(() => this.#definitions.flagKeys) ?? [];
    const unresolved = Object.fromEntries(keys.map((key) => [key, "evaluation_failed" as const]));
    return { featureFlags: {}, featureFlagPayloads: {}, unresolved };
  }

  #ask<T>(question: () => T): T | undefined {
    try {
      try {
        return question();
      } catch (error) {
        if (!(error instanceof FlagpostError && error.code === "trap")) throw error;
        // The evaluator has been started anew.
        return question();
      }
    } catch (error) {
      // Mistakes of whoever calls; the snapshot is as good as it was.
      if (!(error instanceof FlagpostError) || error.code === "invalid_user") throw error;
      this.#fail(error);
      return undefined;
    }
  }
}

/** A malformed definition may give anything; what is neither false nor a text counts as true, as in posthog-node. */
function plain(value: unknown): boolean | string {
  return typeof value === "string" ? value : value !== false;
}
