import type { Tables } from "evaluator-glue";

import { guarded, instance, isAlive, release, type Handle } from "./instance.js";
import { packed } from "./pack.js";
import type { User } from "./types.js";

/**
 * A ruleset in the evaluator module, with the bytes it was compiled from: it can be parked to give
 * back the module's memory and comes back by itself, after a trap as well.
 */
export class Compiled {
  /** How many `Definitions` hold it. */
  holders = 0;
  readonly tables: Tables;
  readonly source: Uint8Array;
  readonly #evaluationContexts: readonly string[] | undefined;
  #handle: Handle | undefined;
  #flagIds: Map<string, number> | undefined;

  /** Throws `FlagpostError` when the bytes cannot be compiled. */
  constructor(source: Uint8Array, evaluationContexts: readonly string[] | undefined) {
    this.source = source;
    this.#evaluationContexts = evaluationContexts;
    const handle = this.#resident();
    this.tables = guarded(() => handle.evaluator.tables());
  }

  /** Index of a flag in `tables.keys`. */
  flagId(key: string): number | undefined {
    this.#flagIds ??= new Map(this.tables.keys.map((name, id) => [name, id]));
    return this.#flagIds.get(key);
  }

  /** The codes for the asked flags, or for all: see `answers.ts`. */
  evaluate(user: User, nowMs: number, flags?: Uint32Array): Int32Array {
    return packed(this.tables, user, (bytes) => {
      const handle = this.#resident();
      return guarded(() => handle.evaluator.evaluate(bytes, nowMs, flags));
    });
  }

  /** Gives back the module's memory until the next use. */
  park(): void {
    if (this.#handle === undefined) return;
    forgotten()?.unregister(this);
    release(this.#handle);
    this.#handle = undefined;
  }

  #resident(): Handle {
    if (this.#handle !== undefined && isAlive(this.#handle)) return this.#handle;
    forgotten()?.unregister(this);
    const contexts = this.#evaluationContexts?.slice();
    const home = instance();
    const handle = {
      instance: home,
      evaluator: guarded(() => home.glue.Evaluator.load(this.source, contexts)),
    };
    this.#handle = handle;
    forgotten()?.register(this, handle, this);
    return handle;
  }
}

let registry: FinalizationRegistry<Handle> | undefined;

/** Frees rulesets that were dropped without `free()`, where the runtime can tell. */
function forgotten(): FinalizationRegistry<Handle> | undefined {
  if (typeof FinalizationRegistry !== "undefined") registry ??= new FinalizationRegistry(release);
  return registry;
}
