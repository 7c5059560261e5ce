import { load, retire } from "./definitions.js";
import { FlagpostError } from "./errors.js";
import type { Source } from "./source.js";
import { sourceOf, type SourceLike } from "./sources/of.js";
import type { Definitions, LoadOptions, SnapshotInfo } from "./types.js";

/** Seconds until the source is asked again after a failure, if the TTL is not shorter. */
const RETRY_SECONDS = 5;

/** Seconds that other requests go on with the last good snapshot while one request reads. */
const PATIENCE_SECONDS = 10;

/** Options of `createReader`. */
export interface ReaderOptions extends LoadOptions {
  /** A Workers KV binding, an R2 bucket binding, a URL, or a source of your own or from `kvSource` and the like. */
  source: SourceLike;
  /** Seconds that a snapshot is used before the source is asked again. Default: 60. */
  ttl?: number | undefined;
  /** Told of failures while a good snapshot is at hand. Default: `console.warn`. */
  onError?: ((error: FlagpostError) => void) | undefined;
}

/** What a reader knows of itself. */
export interface ReaderStatus {
  /** What is read. */
  source: string;
  /** Whether a snapshot is at hand. */
  loaded: boolean;
  /** The snapshot at hand. */
  info: SnapshotInfo | null;
  /** Seconds since PostHog last said that the snapshot at hand is current. */
  ageSeconds: number | null;
  /** When the source last gave a good answer. */
  readAt: Date | null;
  /** The failure of the last read, null if it went well. */
  lastError: FlagpostError | null;
}

/** Keeps the last good snapshot of a source. Make one at module scope and keep it. */
export interface Reader {
  /**
   * The current definitions. The source is asked at most once per TTL; when it fails, the last good
   * snapshot goes on being served. They belong to the reader: don't `free()` them.
   *
   * @throws FlagpostError when there has never been a good snapshot: `no_snapshot`, `source_failed`,
   *   or what `load` throws
   */
  current(): Promise<Definitions>;
  /** What the reader knows of itself. Asks nobody. */
  status(): ReaderStatus;
}

/**
 * Makes a reader that keeps the last good snapshot in memory, one per isolate or process.
 *
 * ```ts
 * let reader: Reader | undefined;
 * export default {
 *   async fetch(request: Request, env: Env) {
 *     reader ??= createReader({ source: env.FLAGS, ttl: 60 });
 *     const { featureFlags } = evaluate(await reader.current(), { distinctId: "user-1" });
 * ```
 */
export function createReader(options: ReaderOptions): Reader {
  return new SourceReader(options);
}

class SourceReader implements Reader {
  readonly #source: Source;
  readonly #ttlMs: number;
  readonly #options: ReaderOptions;
  #last: { definitions: Definitions; version: string } | undefined;
  #readAt: Date | null = null;
  #lastError: FlagpostError | null = null;
  #nextReadMs = 0;
  #started = 0;
  #finished = 0;

  constructor(options: ReaderOptions) {
    const { ttl = 60 } = options;
    if (!(ttl >= 0)) throw new FlagpostError("invalid_options", "ttl is a number of seconds, 0 or more");
    this.#source = sourceOf(options.source);
    this.#ttlMs = ttl * 1000;
    this.#options = options;
  }

  async current(): Promise<Definitions> {
    // Workers forbid waiting for another request's promise, so nothing but times is shared: one
    // request reads, the others go on with the last good snapshot; without one, each of them reads.
    if (this.#last !== undefined && Date.now() < this.#nextReadMs) return this.#last.definitions;
    this.#nextReadMs = Date.now() + PATIENCE_SECONDS * 1000;
    try {
      await this.#read();
      this.#lastError = null;
      this.#nextReadMs = Date.now() + this.#ttlMs;
    } catch (cause) {
      const error = asReaderError(cause, this.#source.describe);
      this.#lastError = error;
      this.#nextReadMs = Date.now() + Math.min(RETRY_SECONDS * 1000, this.#ttlMs);
      if (this.#last === undefined) throw error;
      this.#report(error);
    }
    return (this.#last as { definitions: Definitions }).definitions;
  }

  status(): ReaderStatus {
    const definitions = this.#last?.definitions;
    return {
      source: this.#source.describe,
      loaded: definitions !== undefined,
      info: definitions?.info ?? null,
      ageSeconds: definitions?.ageSeconds ?? null,
      readAt: this.#readAt,
      lastError: this.#lastError,
    };
  }

  async #read(): Promise<void> {
    const turn = ++this.#started;
    const result = await this.#source.read(this.#last && { version: this.#last.version });
    // A read that began later has finished earlier: what it found is newer.
    if (turn < this.#finished) return;
    if (result === null) throw noSnapshot(this.#source);
    if (result !== "unchanged") {
      const definitions = load(result.bytes, this.#options);
      const previous = this.#last?.definitions;
      this.#last = { definitions, version: result.version };
      if (previous !== undefined) retire(previous, definitions);
    } else if (this.#last === undefined) {
      throw new FlagpostError("source_failed", 'it answered "unchanged" to the first read');
    }
    this.#finished = turn;
    this.#readAt = new Date();
  }

  #report(error: FlagpostError): void {
    const report = this.#options.onError ?? ((it) => console.warn(`flagpost: ${it.message}`));
    report(error);
  }
}

function noSnapshot({ describe, writtenBy = "refresher run" }: Source): FlagpostError {
  return new FlagpostError("no_snapshot", `no snapshot at ${describe}: write one with "${writtenBy}"`);
}

function asReaderError(error: unknown, where: string): FlagpostError {
  if (error instanceof FlagpostError) {
    return error.message.includes(where)
      ? error
      : new FlagpostError(error.code, `${where}: ${error.message}`, { cause: error });
  }
  return new FlagpostError("source_failed", `${where} cannot be read: ${String(error)}`, { cause: error });
}
