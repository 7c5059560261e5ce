import { define } from "../payloads.js";
import type { FlagResult, NoValueReason, SnapshotState } from "./types.js";

/** One flag's answer. */
export interface Found {
  readonly value: boolean | string | undefined;
  readonly payload: unknown;
  readonly source: FlagResult["source"];
  readonly reason: NoValueReason | null;
}

/** The answers of all flags, in records that belong to the caller. */
export interface AllFound {
  featureFlags: Record<string, boolean | string>;
  featureFlagPayloads: Record<string, unknown>;
  unresolved: Record<string, NoValueReason>;
}

/** Where the flags of one user come from. */
export interface Origin {
  readonly snapshot: SnapshotState | null;
  find(key: string): Found;
  all(): AllFound;
}

/** A value that one key has, whoever gave it. */
export interface Known {
  readonly value: boolean | string;
  readonly payload: unknown;
}

/** A flag without a value. */
export function nothing(reason: NoValueReason): Found {
  return { value: undefined, payload: undefined, source: "none", reason };
}

/** No flags: what is left where there is no snapshot. */
export class NoOrigin implements Origin {
  readonly snapshot = null;
  readonly #reason: NoValueReason;

  constructor(reason: NoValueReason) {
    this.#reason = reason;
  }

  find(): Found {
    return nothing(this.#reason);
  }

  all(): AllFound {
    return { featureFlags: {}, featureFlagPayloads: {}, unresolved: {} };
  }
}

/** Values that are known, before or behind those of another origin. */
export class Layer implements Origin {
  readonly snapshot: SnapshotState | null;
  readonly #below: Origin;
  readonly #known: ReadonlyMap<string, Known>;
  readonly #source: "override" | "remote";

  constructor(below: Origin, known: ReadonlyMap<string, Known>, source: "override" | "remote") {
    this.snapshot = below.snapshot;
    this.#below = below;
    this.#known = known;
    this.#source = source;
  }

  find(key: string): Found {
    const known = this.#known.get(key);
    if (known === undefined) return this.#below.find(key);
    if (this.#source === "remote") {
      const found = this.#below.find(key);
      if (found.value !== undefined) return found;
    }
    return { ...known, source: this.#source, reason: null };
  }

  all(): AllFound {
    const all = this.#below.all();
    for (const [key, { value, payload }] of this.#known) {
      if (this.#source === "remote" && Object.hasOwn(all.featureFlags, key)) continue;
      define(all.featureFlags, key, value);
      if (payload) define(all.featureFlagPayloads, key, payload);
      else delete all.featureFlagPayloads[key];
      delete all.unresolved[key];
    }
    return all;
  }
}
