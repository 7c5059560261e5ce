import { FlagpostError } from "../errors.js";
import { noSnapshot, readError, tooLate } from "../reader/errors.js";
import { assertSeconds, assertTimeout } from "../reader/options.js";
import { within } from "../reader/timers.js";
import { report } from "../report.js";
import type { Source } from "../source.js";
import { sourcesOf, type SourceLike } from "../sources/of.js";
import { isWithin, OVER, spanOf, type Span } from "../span.js";
import { dataOfBytes } from "./data.js";
import type { FlagDefinitionCacheData, FlagDefinitionCacheProvider, ProviderOptions } from "./provider.js";

/** Seconds until the source is asked again after a failure, if the TTL is not shorter. */
const RETRY_SECONDS = 5;

/** Options of `flagDefinitionCache`. Durations are seconds. */
export interface FlagDefinitionCacheOptions extends ProviderOptions {
  /**
   * Where a snapshot is, or posthog-node's own JSON: a Workers KV, R2 or Deno KV binding, a URL, bytes, or a source of
   * your own or from `kvSource`, `fileSource` and the like.
   *
   * A list is a chain: its sources are asked in order until one is good. Once one has been, those behind it are not
   * asked any more: what they hold may be older than what is in memory.
   */
  source: SourceLike | readonly SourceLike[];
  /**
   * How long definitions are used before the source is asked again. Default: 0, for posthog-node asks once per
   * `featureFlagsPollingInterval`. Where each request makes a client of its own, say 60.
   */
  ttl?: number | undefined;
  /** How long one source may take to answer before that counts as a failure. Default: 10. */
  timeout?: number | undefined;
}

/**
 * Lets posthog-node evaluate what the refresher wrote, without asking PostHog for definitions. With neither
 * `secretKey` nor `personalApiKey` a client is cache-only. Clients of older versions, 5.50 say, need one of them to
 * evaluate locally at all; a client that has one asks PostHog while nothing good has ever been read here.
 *
 * Make one at module scope; any number of clients may share it.
 *
 * ```ts
 * const posthog = new PostHog("phc_…", {
 *   flagDefinitionCacheProvider: flagDefinitionCache({ source: fileSource("./snapshots") }),
 *   strictLocalEvaluation: true,
 * });
 * ```
 *
 * Definitions are parsed once per version, and every client is handed the same object: posthog-node 5.70
 * changes nothing in it. When reading fails, the last good definitions go on being handed out.
 */
export function flagDefinitionCache(options: FlagDefinitionCacheOptions): FlagDefinitionCacheProvider {
  return new ReadingCache(options);
}

interface Held {
  readonly data: FlagDefinitionCacheData;
  readonly version: string;
  /** The place of its source in the chain. */
  readonly from: number;
}

class ReadingCache implements FlagDefinitionCacheProvider {
  readonly #sources: readonly Source[];
  readonly #options: FlagDefinitionCacheOptions;
  readonly #ttlMs: number;
  readonly #timeout: number;
  #held: Held | undefined;
  /** How long what is held is used. */
  #use: Span = OVER;
  #started = 0;
  #finished = 0;

  constructor(options: FlagDefinitionCacheOptions) {
    const { ttl = 0, timeout = 10 } = options;
    assertSeconds("ttl", ttl);
    assertTimeout(timeout);
    this.#sources = sourcesOf(options.source);
    this.#options = options;
    this.#ttlMs = ttl * 1000;
    this.#timeout = timeout;
  }

  async getFlagDefinitions(): Promise<FlagDefinitionCacheData | undefined> {
    // As in the reader: Workers forbid waiting for another request's promise, so only data is shared.
    const now = Date.now();
    if (this.#held !== undefined && isWithin(this.#use, now)) return this.#held.data;
    if (this.#ttlMs > 0) this.#use = spanOf(now, this.#sources.length * this.#timeout * 1000);
    const good = await this.#read();
    this.#use = spanOf(Date.now(), good ? this.#ttlMs : Math.min(RETRY_SECONDS * 1000, this.#ttlMs));
    return this.#held?.data;
  }

  async shouldFetchFlagDefinitions(): Promise<boolean> {
    return false;
  }

  /** What a client with credentials fetched because it found nothing is its own; nothing is written. */
  async onFlagDefinitionsReceived(): Promise<void> {}

  async shutdown(): Promise<void> {}

  /** Whether a source was good. */
  async #read(): Promise<boolean> {
    const turn = ++this.#started;
    const asked = this.#sources.slice(0, (this.#held?.from ?? this.#sources.length) + 1);
    for (const [from, source] of asked.entries()) {
      try {
        const found = await this.#ask(source, from);
        // A read that began later has finished earlier: what it found is newer.
        if (turn < this.#finished) return true;
        this.#finished = turn;
        this.#held = found;
        return true;
      } catch (error) {
        report(this.#options.onError, readError(error, source.describe));
      }
    }
    return false;
  }

  async #ask(source: Source, from: number): Promise<Held> {
    const known = this.#held?.from === from ? this.#held : undefined;
    const reading = source.read(known && { version: known.version });
    const result = await within(this.#timeout * 1000, reading, () => tooLate(source, this.#timeout));
    if (result === null) throw noSnapshot(source);
    if (result === "unchanged") {
      if (known === undefined) throw new FlagpostError("source_failed", 'it answered "unchanged" to the first read');
      return known;
    }
    const { bytes, version } = result;
    // No two results with an empty version are known to be the same.
    if (version !== "" && version === known?.version) return known;
    return { data: await dataOfBytes(ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes)), version, from };
  }
}
