/**
 * What went wrong, for programs:
 *
 * - `invalid_input`: the first argument is nothing that can be loaded (a Promise, null, a stream)
 * - `invalid_json`: the text is cut short or is no JSON
 * - `invalid_definitions`: JSON, but not PostHog's flag definitions
 * - `damaged_snapshot`: the bytes of a snapshot are not those that were written
 * - `needs_compiler`: `flagpost/slim` was given what only `flagpost` can load: anything but a snapshot
 *   of a current refresher
 * - `invalid_user`, `invalid_options`: the other arguments
 * - `freed`: definitions were used after `free()`
 * - `no_snapshot`: the source holds nothing yet
 * - `source_failed`: the source cannot be read; the message says why
 * - `stale_snapshot`: the snapshot is older than the reader's `maxAge`, and `onStale` is `"throw"`
 * - `remote_failed`: PostHog did not decide flags for the remote fallback; they stay without a value
 * - `exposures_failed`: exposure events could not be sent
 * - `store_failed`: a cache that processes share cannot be locked or written; `cause` says why
 * - `empty_refused`: PostHog sent an empty list of flags where flags are stored, and nobody allowed that
 * - `no_webassembly`: this runtime refused to compile the evaluator module
 * - `refresh_failed`: a scheduled refresh left no current snapshot; the message says why
 * - `trap`: the evaluator broke off; it has been started anew and the next call works
 */
export type FlagpostErrorCode =
  | "invalid_input"
  | "invalid_json"
  | "invalid_definitions"
  | "damaged_snapshot"
  | "needs_compiler"
  | "invalid_user"
  | "invalid_options"
  | "freed"
  | "no_snapshot"
  | "source_failed"
  | "stale_snapshot"
  | "remote_failed"
  | "exposures_failed"
  | "store_failed"
  | "empty_refused"
  | "no_webassembly"
  | "refresh_failed"
  | "trap";

/** Registered, so that every copy of this package (ESM, CJS, each entry point) knows the others' errors. */
const BRAND = Symbol.for("flagpost.error");

/** The one error of this package. The message says what to do about it. */
export class FlagpostError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  override readonly name = "FlagpostError";
  /** What went wrong, for programs. */
  readonly code: FlagpostErrorCode;

  constructor(code: FlagpostErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    // Not enumerable, so that no log shows it.
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Bytes that cannot be what a refresher wrote. */
export function damaged(what: string): FlagpostError {
  return new FlagpostError(
    "damaged_snapshot",
    `the snapshot is damaged (${what}): write it again with \`refresher run\``,
  );
}

/** What a text of a snapshot says as JSON. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw damaged(`it holds what is no JSON: ${String(error)}`);
  }
}
