import { FlagpostError } from "../errors.js";
import type { Source } from "../source.js";
import { sourceOf, type SourceLike } from "../sources/of.js";
import { dataOfBytes } from "./data.js";
import { reporter, type FlagDefinitionCacheData, type FlagDefinitionCacheProvider, type ProviderOptions } from "./provider.js";

/** Seconds until the source is asked again after a failure, if the TTL is not shorter. */
const RETRY_SECONDS = 5;

/** Seconds that other requests go on with the last good definitions while one request reads. */
const PATIENCE_SECONDS = 10;

/** Options of `flagDefinitionCache`. */
export interface FlagDefinitionCacheOptions extends ProviderOptions {
  /**
   * Where a snapshot is, or posthog-node's own JSON: a Workers KV binding, an R2 bucket binding, a URL, or a
   * source of your own or from `kvSource`, `fileSource` and the like.
   */
  source: SourceLike;
  /**
   * Seconds that definitions are used before the source is asked again. Default: 0, for posthog-node asks
   * once per `featureFlagsPollingInterval`. Where each request makes a client of its own, say 60.
   */
  ttl?: number | undefined;
}

/**
 * Lets posthog-node evaluate what the refresher wrote, and never ask PostHog for definitions. With
 * neither `secretKey` nor `personalApiKey` the client is cache-only. Make one at module scope; any number of
 * clients may share it.
 *
 * ```ts
 * const posthog = new PostHog("phc_…", {
 *   flagDefinitionCacheProvider: flagDefinitionCache({ source: fileSource("./snapshots") }),
 *   strictLocalEvaluation: true,
 * });
 * ```
 *
 * The definitions are parsed once per version, and every client is handed the same object: posthog-node
 * 5.70 changes nothing in it.
 */
export function flagDefinitionCache(options: FlagDefinitionCacheOptions): FlagDefinitionCacheProvider {
  return new ReadingCache(options);
}

class ReadingCache implements FlagDefinitionCacheProvider {
  readonly #source: Source;
  readonly #ttlMs: number;
  readonly #report: (error: FlagpostError) => void;
  #last: { data: FlagDefinitionCacheData; version: string } | undefined;
  #nextReadMs = 0;
  #started = 0;
  #finished = 0;

  constructor(options: FlagDefinitionCacheOptions) {
    const { ttl = 0 } = options;
    if (!(ttl >= 0)) throw new FlagpostError("invalid_options", "ttl is a number of seconds, 0 or more");
    this.#source = sourceOf(options.source);
    this.#ttlMs = ttl * 1000;
    this.#report = reporter(options);
  }

  async getFlagDefinitions(): Promise<FlagDefinitionCacheData | undefined> {
    // As in the reader: Workers forbid waiting for another request's promise, so only data is shared.
    if (this.#last !== undefined && Date.now() < this.#nextReadMs) return this.#last.data;
    if (this.#ttlMs > 0) this.#nextReadMs = Date.now() + PATIENCE_SECONDS * 1000;
    try {
      await this.#read();
      this.#nextReadMs = Date.now() + this.#ttlMs;
    } catch (error) {
      this.#nextReadMs = Date.now() + Math.min(RETRY_SECONDS * 1000, this.#ttlMs);
      this.#report(asSourceError(error, this.#source.describe));
    }
    return this.#last?.data;
  }

  async shouldFetchFlagDefinitions(): Promise<boolean> {
    return false;
  }

  /** A client with credentials fetches when it has found nothing here. That is its own; nothing is written. */
  async onFlagDefinitionsReceived(): Promise<void> {}

  async shutdown(): Promise<void> {}

  async #read(): Promise<void> {
    const turn = ++this.#started;
    const result = await this.#source.read(this.#last && { version: this.#last.version });
    if (result === null) throw nothingStored(this.#source);
    if (result === "unchanged") {
      if (this.#last === undefined) throw new FlagpostError("source_failed", 'it answered "unchanged" to the first read');
      return;
    }
    const { bytes, version } = result;
    // No two results with an empty version are known to be the same.
    if (version !== "" && version === this.#last?.version) return;
    const data = await dataOfBytes(ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes));
    // A read that began later has finished earlier: what it found is newer.
    if (turn < this.#finished) return;
    this.#last = { data, version };
    this.#finished = turn;
  }
}

function nothingStored({ describe, writtenBy = "refresher run" }: Source): FlagpostError {
  return new FlagpostError("no_snapshot", `nothing is stored at ${describe}: write it with "${writtenBy}"`);
}

function asSourceError(error: unknown, where: string): FlagpostError {
  if (!(error instanceof FlagpostError)) {
    return new FlagpostError("source_failed", `${where} cannot be read: ${String(error)}`, { cause: error });
  }
  if (error.message.includes(where)) return error;
  return new FlagpostError(error.code, `${where}: ${error.message}`, { cause: error });
}
