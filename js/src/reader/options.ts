import { FlagpostError } from "../errors.js";
import type { SourceLike } from "../sources/of.js";
import type { LoadOptions } from "../types.js";
import { LONGEST_MS } from "./timers.js";

/** Options of `createReader`. Durations are seconds. */
export interface ReaderOptions extends LoadOptions {
  /**
   * A Workers KV, R2 or Deno KV binding, a URL, bytes, or a source of your own or from `kvSource` and the like.
   *
   * A list is a chain: its sources are asked in order until one gives a snapshot that loads. One that stands behind
   * the one that gave the snapshot in memory never replaces it by an older one.
   */
  source: SourceLike | readonly SourceLike[];
  /** How long a snapshot is used before the source is asked again. Default: 60. */
  ttl?: number | undefined;
  /**
   * How long after the TTL requests are answered at once with the snapshot in memory while the source is read in the
   * background. Needs a `waitUntil`. Default: no limit. With 0, or later than that, the request that finds the
   * snapshot expired waits for the read; others still go on with what is in memory.
   */
  staleWhileRevalidate?: number | undefined;
  /**
   * How old a snapshot may be, counted from when PostHog last confirmed it (`info.checkedAt`). Definitions as plain
   * JSON have no age. Default: no limit.
   */
  maxAge?: number | undefined;
  /**
   * What is done with a snapshot that is older than `maxAge`:
   *
   * - `"serve"`: it is used like any other, and marked `stale`
   * - `"unresolved"`: every flag of it is unresolved, with the reason `stale_snapshot`
   * - `"throw"`: `current()` rejects with code `stale_snapshot`
   *
   * With the latter two a request waits for the source, if the TTL has passed, before it is given up. Default: `"serve"`.
   */
  onStale?: "serve" | "unresolved" | "throw" | undefined;
  /** How long a failed or empty read is remembered before the source is asked again, if the TTL is not shorter. Default: 5. */
  negativeTtl?: number | undefined;
  /** How long one source may take to answer before that counts as a failure. Default: 10. */
  timeout?: number | undefined;
  /**
   * Lets a read go on behind the request, for runtimes with one function for that instead of a request's context:
   * `import { waitUntil } from "cloudflare:workers"` or `"@vercel/functions"`; `() => {}` in a server that keeps
   * running, such as Node. The `ctx` given to `current` goes before it.
   */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  /** Told of failures while a snapshot is in memory, and of sources of a chain that were passed over. Default: `console.warn`. */
  onError?: ((error: FlagpostError) => void) | undefined;
}

/** The options, checked and complete; times are milliseconds. */
export interface Settings {
  readonly ttlMs: number;
  readonly revalidateMs: number;
  readonly maxAge: number;
  readonly onStale: "serve" | "unresolved" | "throw";
  readonly negativeMs: number;
  readonly timeout: number;
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
  readonly onError: ((error: FlagpostError) => void) | undefined;
}

/** Refuses options that cannot be meant, with the fix. */
export function settingsOf(options: ReaderOptions): Settings {
  const { ttl = 60, negativeTtl = 5, timeout = 10, onStale = "serve", waitUntil, onError } = options;
  const { staleWhileRevalidate = Infinity, maxAge = Infinity } = options;
  for (const [name, value] of Object.entries({ ttl, negativeTtl, staleWhileRevalidate, maxAge })) {
    assertSeconds(name, value);
  }
  assertTimeout(timeout);
  if (!["serve", "unresolved", "throw"].includes(onStale)) throw invalid('onStale is "serve", "unresolved" or "throw"');
  if (onStale !== "serve" && maxAge === Infinity) throw invalid(`onStale: "${onStale}" needs a maxAge, in seconds`);
  if (waitUntil !== undefined && typeof waitUntil !== "function") throw invalid("waitUntil is a function that takes a promise");
  return {
    ttlMs: ttl * 1000,
    revalidateMs: staleWhileRevalidate * 1000,
    maxAge,
    onStale,
    negativeMs: Math.min(negativeTtl, ttl) * 1000,
    timeout,
    waitUntil,
    onError,
  };
}

/** Throws `invalid_options` unless a value can be a number of seconds. */
export function assertSeconds(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0)) throw invalid(`${name} is a number of seconds, 0 or more`);
}

/** Throws `invalid_options` unless a value can be the seconds that a source may take. */
export function assertTimeout(timeout: unknown): void {
  if (typeof timeout === "number" && timeout > 0 && timeout * 1000 <= LONGEST_MS) return;
  throw invalid("timeout is a number of seconds, more than 0 and less than 25 days");
}

function invalid(what: string): FlagpostError {
  return new FlagpostError("invalid_options", what);
}
