import { unreadable } from "./bytes.js";
import { compile, drop } from "./cache.js";
import type { Compiled } from "./compiled.js";
import { FlagpostError, parsed } from "./errors.js";
import { UNANSWERED } from "./stale.js";
import type { Definitions, Loadable, LoadOptions, SnapshotInfo } from "./types.js";

/** Registered, so that the ESM and the CJS copy of this package know each other's definitions. */
const COMPILED: unique symbol = Symbol.for("flagpost.compiled") as never;

class LoadedDefinitions implements Definitions {
  /** What is behind them; undefined if they were freed. */
  static compiledOf(definitions: Definitions): Compiled | undefined {
    return (definitions as LoadedDefinitions).#compiled;
  }

  readonly stale: boolean;
  readonly #unanswered: boolean;
  readonly #info: SnapshotInfo | null;
  #compiled: Compiled | undefined;

  constructor(compiled: Compiled, stale = false, unanswered = false) {
    const { header } = compiled;
    this.#info = header === null ? null : infoOf(header);
    this.stale = stale;
    this.#unanswered = unanswered;
    compiled.holders++;
    compiled.isRetired = false;
    this.#compiled = compiled;
  }

  get info(): SnapshotInfo | null {
    return this.#info;
  }

  get ageSeconds(): number | null {
    const checkedAt = Date.parse(this.#info?.checkedAt ?? "");
    return Number.isNaN(checkedAt) ? null : Math.max(0, Math.round((Date.now() - checkedAt) / 1000));
  }

  get version(): string | null {
    return this.#info?.digest ?? null;
  }

  get flagKeys(): readonly string[] {
    return this[COMPILED].flagKeys();
  }

  get problems(): readonly string[] {
    return this[COMPILED].problems();
  }

  get [UNANSWERED](): boolean {
    return this.#unanswered;
  }

  get [COMPILED](): Compiled {
    if (this.#compiled === undefined) {
      throw new FlagpostError("freed", "these definitions were freed: load them again, or call free() later");
    }
    return this.#compiled;
  }

  free(): void {
    const compiled = this.#compiled;
    if (compiled === undefined) return;
    this.#compiled = undefined;
    compiled.holders--;
    drop(compiled);
  }
}

/** What the header of a snapshot says, whichever version wrote it. */
function infoOf(header: string): SnapshotInfo {
  const { etag, digest, fetched_at, checked_at, format } = (parsed(header) ?? {}) as Record<string, never>;
  return { etag: etag ?? null, digest, fetchedAt: fetched_at, checkedAt: checked_at, format } as unknown as SnapshotInfo;
}

/**
 * Compiles a snapshot, or PostHog's definitions as JSON, once: the same object, buffer or text, and
 * the same bytes in another buffer, are not parsed again.
 *
 * @param input A snapshot's bytes; or the definitions of PostHog's `/flags/definitions` or of a
 *   posthog-node cache, as bytes, text or a parsed object. Don't change it afterwards.
 * @throws FlagpostError `invalid_input`, `invalid_json`, `invalid_definitions`, `damaged_snapshot`;
 *   of `flagpost/slim`, `needs_compiler`
 */
export function load(input: Loadable, options?: LoadOptions): Definitions {
  return new LoadedDefinitions(compile(input, options));
}

/**
 * The ruleset behind `load`'s result, or of anything that `load` takes.
 *
 * @internal
 */
export function compiledOf(definitions: Definitions | Loadable): Compiled {
  let loaded: Compiled | undefined;
  try {
    loaded = (definitions as { [COMPILED]?: Compiled } | null | undefined)?.[COMPILED];
  } catch (error) {
    throw unreadable(error);
  }
  return loaded ?? compile(definitions);
}

/**
 * The same definitions, marked as too old; unanswered, each of their flags is unresolved.
 *
 * @internal
 */
export function staleOf(definitions: Definitions, unanswered: boolean): Definitions {
  return new LoadedDefinitions(compiledOf(definitions), true, unanswered);
}

/**
 * Whether `load` gave both for the same bytes.
 *
 * @internal
 */
export function isSame(one: Definitions, other: Definitions): boolean {
  return LoadedDefinitions.compiledOf(one) === LoadedDefinitions.compiledOf(other);
}

/**
 * Gives back the memory of definitions that others have replaced. Whoever still holds them can go on:
 * they are compiled again when used.
 *
 * @internal
 */
export function retire(old: Definitions): void {
  const compiled = LoadedDefinitions.compiledOf(old);
  if (compiled === undefined) return;
  compiled.isRetired = true;
  compiled.park();
}
