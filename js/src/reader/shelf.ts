import { isSame, retire, staleOf } from "../definitions.js";
import type { Definitions } from "../types.js";
import type { Held } from "./chain.js";
import type { Settings } from "./options.js";

/** The snapshot at hand, and what its age means. Data only, so that all requests may share it. */
export class Shelf {
  readonly #settings: Settings;
  #held: Held | undefined;
  #tooOldMs = Infinity;
  #stale: Definitions | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get held(): Held | undefined {
    return this.#held;
  }

  /** Whether there is something to answer with, without asking the source first. */
  isUsable(now: number): boolean {
    return this.#held !== undefined && (this.#settings.onStale === "serve" || !this.isStale(now));
  }

  /** Whether what is at hand is older than `maxAge`. */
  isStale(now: number): boolean {
    return now > this.#tooOldMs;
  }

  /** The definitions at hand, marked if they are stale. */
  give(held: Held, now: number): Definitions {
    if (!this.isStale(now)) return held.definitions;
    return (this.#stale ??= staleOf(held.definitions, this.#settings.onStale === "unresolved"));
  }

  /** Replaces what is at hand. Says whether the definitions are others. */
  put(held: Held): boolean {
    const before = this.#held?.definitions;
    if (before !== undefined && isSame(before, held.definitions)) {
      held.definitions.free();
      this.#held = { ...held, definitions: before };
      return false;
    }
    const checkedMs = Date.parse(held.definitions.info?.checkedAt ?? "");
    this.#held = held;
    this.#tooOldMs = Number.isNaN(checkedMs) ? Infinity : checkedMs + this.#settings.maxAge * 1000;
    this.#stale = undefined;
    if (before !== undefined) retire(before);
    return true;
  }
}
