import { causes } from "../causes.js";
import { keepDefinitions } from "../compiled.js";
import { FlagpostError } from "../errors.js";
import type { RequestContext } from "../flags/types.js";
import { atLeast, postTo, timeoutOf, type Post, type PostOptions } from "../post.js";
import { sleep } from "../reader/timers.js";
import { report } from "../report.js";
import { isWithin, OVER, spanOf } from "../span.js";
import type { Definitions } from "../types.js";
import { Called } from "./called.js";
import { flagCalledEvent, type CapturedEvent, type FlagCall } from "./event.js";
import { metadataOf } from "./metadata.js";
import { Queue } from "./queue.js";

/** Milliseconds after a request's first reading until it sends: until then it collects. */
const COLLECT_MS = 50;

/** Milliseconds before the first retry; each later one waits twice as long. */
const RETRY_MS = 250;

/** Milliseconds that requests leave PostHog alone after a failure. Only `flush` does not wait. */
const REST_MS = 5000;

/** Options of `createExposures`. */
export interface ExposuresOptions extends PostOptions {
  /**
   * Whether events of flags without an experiment are minimal. Default: as the definitions ask for
   * (`minimal_flag_called_events`).
   */
  minimal?: boolean | undefined;
  /** Whether PostHog should not look up where the server is. Default: true. */
  disableGeoip?: boolean | undefined;
  /** Distinct ids whose events are not sent twice; of more, the least recently seen are forgotten. Default: 50,000, as posthog-node. */
  maxCacheSize?: number | undefined;
  /** Events that may wait; of more, the oldest are lost. Default: 1,000. */
  maxQueueSize?: number | undefined;
  /** Events of one request to PostHog. Default: 100. */
  maxBatchSize?: number | undefined;
  /**
   * Sends once so many events wait, where no `ctx` was given: for servers that live on. Default: only `flush()` does.
   * In Workers what is begun without `ctx` is cut off when the request ends.
   */
  flushAt?: number | undefined;
  /** Milliseconds until a request is given up. Default: 3,000. */
  timeoutMs?: number | undefined;
  /** How often a failed request is tried again. Default: 2. */
  retries?: number | undefined;
  /** Changes an event before it is sent; null leaves it out. */
  beforeSend?: ((event: CapturedEvent) => CapturedEvent | null) | undefined;
  /** Told of what could not be sent. Default: `console.warn`. */
  onError?: ((error: FlagpostError) => void) | undefined;
}

/** Where a reading belongs. */
export interface RecordOptions {
  /** The request's context: its `waitUntil` is given the sending. */
  ctx?: RequestContext | undefined;
  /** The definitions that answered: id and experiment of the flag are read from them when the event is sent. */
  definitions?: Definitions | undefined;
  /** Whether PostHog asked for minimal events, where its server answered. */
  minimal?: boolean | undefined;
}

/** Sends `$feature_flag_called` events, once per user, flag and answer. */
export interface Exposures {
  /** Takes a reading down, unless it was already. Never throws, and asks nobody. */
  record(call: FlagCall, options?: RecordOptions): void;
  /** Sends what waits. Never rejects: failures are told to `onError`, and what may succeed later goes on waiting. */
  flush(): Promise<void>;
}

/**
 * Makes what `createFlags({ exposures })` records readings with. Make it once, before definitions are loaded: only of
 * those loaded afterwards it knows the flags' numbers and experiments. `convexSource` reads too little for that.
 *
 * With a `ctx` a request sends what was recorded, once, 50 ms after its first reading; without one, call `flush()`, or
 * set `flushAt`. In a server that lives on, flush before it ends.
 *
 * @throws FlagpostError `invalid_options`
 */
export function createExposures(options: ExposuresOptions): Exposures {
  return new Sender(options);
}

interface Waiting {
  readonly call: FlagCall;
  /** What the event is made with; let go when it is made. */
  definitions: Definitions | undefined;
  readonly minimal: boolean | undefined;
  /** The event as JSON, made when it is first sent, and kept: a retry has the same uuid. Null: not to be sent. */
  event: string | null | undefined;
}

class Sender implements Exposures {
  readonly #options: ExposuresOptions;
  readonly #post: Post;
  readonly #called: Called;
  readonly #queue: Queue<Waiting>;
  readonly #batch: number;
  readonly #flushAt: number;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #scheduled = new WeakSet<object>();
  #rest = OVER;
  /** Those of the newest reading: the only ones that are held on to for events which are still to be made. */
  #newest: Definitions | undefined;

  constructor(options: ExposuresOptions) {
    this.#options = options;
    this.#post = postTo(options);
    this.#called = new Called(atLeast(1, "maxCacheSize", options.maxCacheSize ?? 50_000));
    this.#queue = new Queue(atLeast(1, "maxQueueSize", options.maxQueueSize ?? 1000));
    this.#batch = atLeast(1, "maxBatchSize", options.maxBatchSize ?? 100);
    this.#flushAt = options.flushAt === undefined ? Infinity : atLeast(1, "flushAt", options.flushAt);
    this.#timeoutMs = timeoutOf(options.timeoutMs ?? 3000);
    this.#retries = atLeast(0, "retries", options.retries ?? 2);
    keepDefinitions();
  }

  record(call: FlagCall, { ctx, definitions, minimal }: RecordOptions = {}): void {
    if (call.distinctId === "" || !this.#called.isNew(call)) return;
    // The caller's groups may change before the event is sent.
    const copy = { ...call, groups: call.groups && { ...call.groups } };
    if (definitions !== this.#newest) this.#queue.forEach((waiting) => this.#eventOf(waiting));
    this.#newest = definitions;
    this.#queue.add({ call: copy, definitions, minimal, event: undefined });
    if (ctx?.waitUntil !== undefined) this.#schedule(ctx);
    else if (this.#queue.length >= this.#flushAt && !isWithin(this.#rest, Date.now())) void this.flush();
  }

  async flush(): Promise<void> {
    for (let left = this.#queue.length; left > 0; left -= this.#batch) {
      const waiting = this.#queue.take(Math.min(this.#batch, left));
      const failure = await this.#send(waiting.flatMap((one) => this.#eventOf(one) ?? []));
      if (failure === undefined) continue;
      this.#rest = spanOf(Date.now(), REST_MS);
      if (failure.again) this.#queue.putBack(waiting);
      this.#failed(`${failure.why}; ${failure.again ? "they wait for the next time" : "they are lost"}`);
      break;
    }
    const { lost } = this.#queue;
    this.#queue.lost = 0;
    if (lost > 0) this.#failed(`${lost} more than maxQueueSize waited and are lost`);
  }

  #schedule(ctx: RequestContext): void {
    if (this.#scheduled.has(ctx)) return;
    this.#scheduled.add(ctx);
    try {
      ctx.waitUntil?.(this.#later(ctx));
    } catch {
      // The request is over: the next one sends its events.
    }
  }

  async #later(ctx: RequestContext): Promise<void> {
    await sleep(COLLECT_MS);
    this.#scheduled.delete(ctx);
    if (!isWithin(this.#rest, Date.now())) await this.flush();
  }

  #eventOf(waiting: Waiting): string | null {
    if (waiting.event !== undefined) return waiting.event;
    const { call, definitions } = waiting;
    const { beforeSend, disableGeoip } = this.#options;
    const metadata = definitions && metadataOf(definitions);
    waiting.definitions = undefined;
    const minimal = this.#options.minimal ?? waiting.minimal ?? metadata?.minimal;
    const known = call.locallyEvaluated ? metadata?.flags.get(call.key) : undefined;
    try {
      const event = flagCalledEvent({ ...known, ...call }, { minimal, disableGeoip });
      const sent = beforeSend === undefined ? event : beforeSend(event);
      waiting.event = sent ? JSON.stringify(sent) : null;
    } catch (error) {
      waiting.event = null;
      this.#failed(`one could not be made (${String(error)}) and is lost`);
    }
    return waiting.event;
  }

  async #send(batch: readonly string[]): Promise<{ why: string; again: boolean } | undefined> {
    if (batch.length === 0) return undefined;
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#try(batch);
      if (!failure?.again || attempt >= this.#retries) return failure;
      await sleep(RETRY_MS * 2 ** attempt);
    }
  }

  async #try(batch: readonly string[]): Promise<{ why: string; again: boolean } | undefined> {
    try {
      const [key, now] = [JSON.stringify(this.#post.projectKey), new Date().toISOString()];
      const body = `{"api_key":${key},"batch":[${batch.join(",")}],"sent_at":"${now}"}`;
      const { status } = await this.#post("/batch/", body, this.#timeoutMs);
      if (status >= 200 && status < 300) return undefined;
      return { why: `PostHog answered with status ${status}`, again: status === 408 || status === 429 || status >= 500 };
    } catch (error) {
      return { why: `PostHog cannot be reached (${causes(error)})`, again: true };
    }
  }

  #failed(why: string): void {
    report(this.#options.onError, new FlagpostError("exposures_failed", `exposure events were not sent: ${why}`));
  }
}
