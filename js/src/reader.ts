import type { FlagpostError } from "./errors.js";
import type { RequestContext } from "./flags/types.js";
import { Chain, type Found } from "./reader/chain.js";
import { again, combined, tooOld } from "./reader/errors.js";
import { settingsOf, type ReaderOptions, type Settings } from "./reader/options.js";
import { Shelf } from "./reader/shelf.js";
import { noStats, statsOf, type ReaderStatus } from "./reader/status.js";
import { every, sleep } from "./reader/timers.js";
import { report } from "./report.js";
import { sourcesOf } from "./sources/of.js";
import { isWithin, OVER, spanOf, type Span } from "./span.js";
import type { Definitions } from "./types.js";

/** Milliseconds between the signs of life of a request that reads while others wait for what it finds. */
const BEAT_MS = 500;

/** Without a sign for so long, by its own timers, a request that waits takes over: the other one was cancelled. */
const LOST_MS = 2000;

/** The pauses of a request that waits grow up to this. */
const LONGEST_PAUSE_MS = 250;

/** Keeps the last good snapshot of a source. Make one at module scope and keep it. */
export interface Reader {
  /**
   * The current definitions. The source is asked at most once per TTL; when it fails, the last good snapshot goes on
   * being served. They belong to the reader: don't `free()` them.
   *
   * Requests share the snapshot, never a promise: while nothing is in memory one of them reads, and the others look
   * again on timers of their own.
   *
   * @param ctx The request's own context, one object a request, such as a Worker's `ctx`. Calls with the same one share a
   *   read, and with its `waitUntil` an expired snapshot is answered at once and read anew behind the request.
   * @throws FlagpostError when there has never been a good snapshot: `no_snapshot`, `source_failed`, or what `load`
   *   throws; when it is too old and `onStale` is `"throw"`: `stale_snapshot`
   */
  current(ctx?: RequestContext): Promise<Definitions>;
  /** What the reader knows of itself. Asks nobody. */
  status(): ReaderStatus;
}

/**
 * Makes a reader that keeps the last good snapshot in memory, one per isolate or process.
 *
 * ```ts
 * let reader: Reader | undefined;
 * export default {
 *   async fetch(request: Request, env: Env, ctx: ExecutionContext) {
 *     reader ??= createReader({ source: env.FLAGS, ttl: 60 });
 *     const { featureFlags } = evaluate(await reader.current(ctx), { distinctId: "user-1" });
 * ```
 *
 * @throws FlagpostError `invalid_options`
 */
export function createReader(options: ReaderOptions): Reader {
  return new SourceReader(options);
}

/** A read that a request has begun, as the others see it. */
interface Reading {
  readonly span: Span;
  beats: number;
}

/** What calls with one context wait for. A context that outlives its request must not wait for that one's for ever. */
interface Shared {
  readonly work: Promise<Definitions>;
  readonly span: Span;
}

class SourceReader implements Reader {
  readonly #settings: Settings;
  readonly #chain: Chain;
  readonly #shelf: Shelf;
  readonly #stats = noStats();
  /** What the calls of one request wait for together. */
  readonly #ofRequest = new WeakMap<RequestContext, Shared>();
  #reading: Reading | undefined;
  #readAt: Date | null = null;
  #lastError: FlagpostError | null = null;
  /** How long the source is left alone. */
  #rest: Span = OVER;
  #started = 0;
  #finished = 0;

  constructor(options: ReaderOptions) {
    this.#settings = settingsOf(options);
    this.#chain = new Chain(sourcesOf(options.source), this.#settings.timeout, options);
    this.#shelf = new Shelf(this.#settings);
  }

  async current(ctx?: RequestContext): Promise<Definitions> {
    const now = Date.now();
    if (isWithin(this.#rest, now)) return this.#fromMemory(now);
    // JavaScript may well pass null.
    if (ctx === undefined || ctx === null) return this.#expired(now, undefined);
    const shared = this.#ofRequest.get(ctx);
    return shared !== undefined && isWithin(shared.span, now) ? shared.work : this.#sharedBy(ctx, now);
  }

  status(): ReaderStatus {
    const held = this.#shelf.held;
    return {
      source: this.#chain.describe,
      from: held === undefined ? null : this.#chain.nameOf(held.from),
      loaded: held !== undefined,
      info: held?.definitions.info ?? null,
      ageSeconds: held?.definitions.ageSeconds ?? null,
      stale: this.#shelf.isStale(Date.now()),
      readAt: this.#readAt,
      nextReadAt: dateOf(this.#rest.toMs),
      lastError: this.#lastError,
      stats: statsOf(this.#stats),
    };
  }

  async #sharedBy(ctx: RequestContext, now: number): Promise<Definitions> {
    const work = this.#expired(now, ctx);
    const shared = { work, span: spanOf(now, this.#chain.patienceMs) };
    this.#ofRequest.set(ctx, shared);
    try {
      return await work;
    } finally {
      if (this.#ofRequest.get(ctx) === shared) this.#ofRequest.delete(ctx);
    }
  }

  /** The TTL has passed, or nothing was ever read. */
  async #expired(now: number, ctx: RequestContext | undefined): Promise<Definitions> {
    if (!this.#shelf.isUsable(now)) return this.#whenRead(ctx);
    if (!this.#isBeingRead(now)) {
      const inTime = now < this.#rest.toMs + this.#settings.revalidateMs;
      const read = this.#read();
      const goesOn = this.#keepAlive(read, ctx);
      if (!goesOn || !inTime) {
        await read;
        this.#stats.misses++;
        return this.#answer(Date.now());
      }
    }
    this.#stats.expiredHits++;
    return this.#fromMemory(now);
  }

  /** Waits until one request, this or another, has read. Awaiting the other's promise is what Workers forbid. */
  async #whenRead(ctx: RequestContext | undefined): Promise<Definitions> {
    this.#stats.misses++;
    let watched: Reading | undefined;
    let beats = 0;
    let quietMs = 0;
    for (let pauseMs = 10; this.#isWaitedFor(Date.now()); pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const reading = this.#reading;
      const isAlive = reading !== watched || reading?.beats !== beats;
      quietMs = isAlive ? 0 : quietMs + pauseMs;
      watched = reading;
      beats = reading?.beats ?? 0;
      const isLost = quietMs > LOST_MS || !this.#isBeingRead(Date.now());
      if (isLost || !(await sleep(pauseMs))) {
        const read = this.#read();
        // Whoever waits for it is served even if this request is cancelled.
        this.#keepAlive(read, ctx);
        await read;
        break;
      }
    }
    return this.#answer(Date.now());
  }

  #isWaitedFor(now: number): boolean {
    return !isWithin(this.#rest, now) && !this.#shelf.isUsable(now);
  }

  #isBeingRead(now: number): boolean {
    return this.#reading !== undefined && isWithin(this.#reading.span, now);
  }

  #fromMemory(now: number): Definitions {
    try {
      const definitions = this.#answer(now);
      this.#stats.hits++;
      return definitions;
    } catch (error) {
      this.#stats.misses++;
      throw error;
    }
  }

  /** What the policies make of the snapshot at hand and of the last read. */
  #answer(now: number): Definitions {
    const { held } = this.#shelf;
    if (held === undefined) throw again(this.#lastError as FlagpostError);
    if (this.#shelf.isStale(now)) {
      this.#stats.staleAnswers++;
      const { onStale, maxAge } = this.#settings;
      if (onStale === "throw") throw tooOld(this.#chain.nameOf(held.from), held.definitions.ageSeconds, maxAge, this.#lastError);
    }
    return this.#shelf.give(held, now);
  }

  #keepAlive(read: Promise<void>, ctx: RequestContext | undefined): boolean {
    try {
      if (typeof ctx?.waitUntil === "function") ctx.waitUntil(read);
      else if (this.#settings.waitUntil !== undefined) this.#settings.waitUntil(read);
      else return false;
      return true;
    } catch {
      // Called where there is no request: then the read is waited for.
      return false;
    }
  }

  /** Reads, and keeps what is good. Rejects never: it may be nobody's to wait for. */
  async #read(): Promise<void> {
    const turn = ++this.#started;
    const reading: Reading = { span: spanOf(Date.now(), this.#chain.patienceMs), beats: 0 };
    this.#reading = reading;
    const stop = every(BEAT_MS, () => void reading.beats++);
    const found = await this.#chain.read(this.#shelf.held);
    stop();
    if (this.#reading === reading) this.#reading = undefined;
    this.#stats.errors += found.errors.length;
    // A read that began later has finished earlier: what it found is newer.
    if (turn > this.#finished) this.#keep(found, turn);
    else found.held?.definitions.free();
    if (this.#shelf.held !== undefined) found.errors.forEach((error) => report(this.#settings.onError, error));
  }

  #keep({ held, good, errors }: Found, turn: number): void {
    if (held !== undefined && this.#shelf.put(held)) this.#stats.refreshes++;
    else if (good) this.#stats.unchanged++;
    if (good) {
      this.#finished = turn;
      this.#readAt = new Date();
    }
    this.#lastError = combined(errors);
    this.#rest = spanOf(Date.now(), errors.length === 0 ? this.#settings.ttlMs : this.#settings.negativeMs);
  }
}

/** Null for the beginning of time, and for what is beyond all dates: an endless TTL. */
function dateOf(ms: number): Date | null {
  const date = new Date(ms);
  return ms === 0 || Number.isNaN(date.getTime()) ? null : date;
}

export type { ReaderOptions } from "./reader/options.js";
export type { ReaderStats, ReaderStatus } from "./reader/status.js";
