import { FlagpostError } from "../errors.js";
import { within } from "../reader/timers.js";
import { report } from "../report.js";
import { dataOfText } from "./data.js";
import type { FlagDefinitionCacheData, FlagDefinitionCacheProvider, ProviderOptions, ReceivedDefinitions } from "./provider.js";

/** How often an empty cache is looked at by those that wait for whoever fetches. */
const PAUSE_MS = 100;

/** Seconds until a store counts as failed: clients of Redis wait for a server that is away. */
const STORE_SECONDS = 5;

/** A store that processes share. Implement it for what has no adapter here. Every method may throw. */
export interface CacheStore {
  /** What it is, for messages, without secrets: `redis`. */
  readonly describe: string;
  /** The text under a key; null when there is none. */
  get(key: string): Promise<string | null>;
  /** Replaces the text under a key. It must not expire. */
  set(key: string, value: string): Promise<unknown>;
  /**
   * In one step: takes the lock when it is free or expired, and extends it when it is this owner's.
   *
   * @returns null when another owner holds it
   */
  lock(key: string, owner: string, seconds: number): Promise<"taken" | "kept" | null>;
  /** In one step: gives the lock back when it is this owner's. */
  unlock(key: string, owner: string): Promise<unknown>;
}

/** Options of `sharedFlagDefinitionCache`. */
export interface SharedCacheOptions extends ProviderOptions {
  /** The project's key, with which the clients are made. */
  projectKey: string;
  /** Where the definitions are kept. Default: `posthog:flags:PROJECT_KEY`; the lock is beside it. */
  key?: string | undefined;
  /**
   * Seconds after which another process fetches when the one that did so is gone. More than the client's
   * `featureFlagsPollingInterval`. Default: 90.
   */
  lockSeconds?: number | undefined;
  /** Seconds that a process waits for the first definitions before it fetches as well. Default: 10. */
  patienceSeconds?: number | undefined;
  /** Whether an empty list of flags may replace flags. Default: false. */
  allowEmpty?: boolean | undefined;
}

/**
 * Lets many processes that use posthog-node fetch definitions once: one of them holds the lock, and fetches for as
 * long as it lives; the others read. When it is gone, another one takes over.
 *
 * - Definitions never expire: old ones are better than none.
 * - A write that failed, or a store that lost its content, is made good at the next poll, even when PostHog says
 *   that nothing has changed.
 * - An empty list does not replace flags, unless `allowEmpty`.
 *
 * What it cannot help: the process that fetches forgets its own flags when PostHog answers 402. The others keep
 * theirs. `flagDefinitionCache` with a refresher does not have this.
 *
 * Make one for each client, and call the client's `shutdown()`, which gives the lock back.
 */
export function sharedFlagDefinitionCache(store: CacheStore, options: SharedCacheOptions): FlagDefinitionCacheProvider {
  return new SharedCache(store, options);
}

class SharedCache implements FlagDefinitionCacheProvider {
  readonly #store: CacheStore;
  readonly #key: string;
  readonly #lockKey: string;
  readonly #lockSeconds: number;
  readonly #patienceMs: number;
  readonly #allowEmpty: boolean;
  readonly #onError: ProviderOptions["onError"];
  /** Who holds the lock. Made late: Workers have no random numbers while a module is loaded. */
  #owner = "";
  /** What was read last. */
  #last: { text: string; data: FlagDefinitionCacheData } | undefined;
  /** What PostHog sent last: the client asks whether it has something else than this. */
  #received: string | undefined;
  /** Whether nobody else may have stored anything since. */
  #isOurs = false;
  #closed = false;

  constructor(store: CacheStore, options: SharedCacheOptions) {
    const { projectKey, key = `posthog:flags:${projectKey}`, lockSeconds = 90, patienceSeconds = 10, allowEmpty = false } = options;
    if (typeof projectKey !== "string" || projectKey === "") {
      throw new FlagpostError("invalid_options", 'projectKey is the key that clients are made with: "phc_…"');
    }
    if (!(lockSeconds >= 1)) throw new FlagpostError("invalid_options", "lockSeconds is a number of seconds, 1 or more");
    if (!(patienceSeconds >= 0)) throw new FlagpostError("invalid_options", "patienceSeconds is a number of seconds, 0 or more");
    this.#store = limited(store);
    this.#key = key;
    this.#lockKey = `${key}:lock`;
    this.#lockSeconds = lockSeconds;
    this.#patienceMs = patienceSeconds * 1000;
    this.#allowEmpty = allowEmpty;
    this.#onError = options.onError;
  }

  async getFlagDefinitions(): Promise<FlagDefinitionCacheData | undefined> {
    try {
      return await this.#read();
    } catch (error) {
      this.#failed("source_failed", "read", error);
      return this.#last?.data;
    }
  }

  async shouldFetchFlagDefinitions(): Promise<boolean> {
    try {
      return await this.#isToFetch();
    } catch (error) {
      // Fetched by every process is dearer than not fetched by any, and posthog-node does the same.
      this.#failed("store_failed", "locked", error);
      return true;
    }
  }

  async onFlagDefinitionsReceived(data: ReceivedDefinitions): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#publish(data);
    } catch (error) {
      this.#failed("store_failed", "written", error);
    }
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    try {
      await this.#release();
    } catch (error) {
      this.#failed("store_failed", "unlocked", error);
    }
  }

  async #isToFetch(): Promise<boolean> {
    const deadline = Date.now() + this.#patienceMs;
    while (!this.#closed) {
      if (await this.#leads()) {
        await this.#restore();
        return true;
      }
      // A client that finds nothing fetches all the same, but tells nobody: then it should be asked to.
      if ((await this.#read()) !== undefined) return false;
      if (Date.now() >= deadline) return true;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return false;
  }

  async #leads(): Promise<boolean> {
    this.#owner ||= crypto.randomUUID();
    const lock = await this.#store.lock(this.#lockKey, this.#owner, this.#lockSeconds);
    if (lock !== "kept") this.#isOurs = false;
    // Shut down in the meantime: it would stay locked until it expires.
    if (lock !== null && this.#closed) await this.#release();
    return lock !== null && !this.#closed;
  }

  async #release(): Promise<void> {
    if (this.#owner !== "") await this.#store.unlock(this.#lockKey, this.#owner);
  }

  /**
   * The client is about to ask whether PostHog has something else than `#received`. If not, nothing will be
   * handed over to be stored, so it has to be stored already.
   */
  async #restore(): Promise<void> {
    const received = this.#received;
    if (received === undefined) return;
    try {
      const stored = await this.#store.get(this.#key);
      if (this.#parsed(stored) === undefined || (this.#isOurs && stored !== received)) await this.#store.set(this.#key, received);
    } catch (error) {
      this.#failed("store_failed", "written", error);
    }
  }

  async #publish(data: ReceivedDefinitions): Promise<void> {
    const received = JSON.stringify(data);
    const leads = await this.#leads();
    const stored = await this.#read().catch(() => undefined);
    if (data.flags.length === 0 && !this.#allowEmpty && (stored?.flags.length ?? 0) > 0) {
      const text = "posthog answered with an empty list of flags, which was not stored: if that is right, set allowEmpty";
      report(this.#onError, new FlagpostError("empty_refused", text));
      return;
    }
    this.#received = received;
    // Whoever has the lock now may have asked PostHog later.
    if (!leads && stored !== undefined) return;
    this.#isOurs = leads;
    await this.#store.set(this.#key, received);
  }

  /** What is stored; if there is nothing, or nothing of use, what was read last. */
  async #read(): Promise<FlagDefinitionCacheData | undefined> {
    return this.#parsed(await this.#store.get(this.#key)) ?? this.#last?.data;
  }

  #parsed(text: string | null): FlagDefinitionCacheData | undefined {
    if (text === null) return undefined;
    if (text === this.#last?.text) return this.#last.data;
    try {
      this.#last = { text, data: dataOfText(text) };
      return this.#last.data;
    } catch (error) {
      this.#failed("source_failed", "read", error);
      return undefined;
    }
  }

  #failed(code: "source_failed" | "store_failed", what: string, cause: unknown): void {
    const why = cause instanceof FlagpostError ? cause.message : String(cause);
    report(this.#onError, new FlagpostError(code, `the definitions in ${this.#store.describe} cannot be ${what}: ${why}`, { cause }));
  }
}

/** The same store, which answers in time or fails. */
function limited(store: CacheStore): CacheStore {
  const limit = <T>(work: Promise<T>): Promise<T> =>
    within(STORE_SECONDS * 1000, work, () => new Error(`no answer within ${STORE_SECONDS} seconds`));
  return {
    describe: store.describe,
    get: (key) => limit(store.get(key)),
    set: (key, value) => limit(store.set(key, value)),
    lock: (key, owner, seconds) => limit(store.lock(key, owner, seconds)),
    unlock: (key, owner) => limit(store.unlock(key, owner)),
  };
}
