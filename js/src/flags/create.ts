import { FlagpostError } from "../errors.js";
import { callOf } from "../exposures/call.js";
import type { Exposures } from "../exposures/create.js";
import { createReader, type ReaderOptions } from "../reader.js";
import type { RemoteAnswers, RemoteFallback } from "../remote/types.js";
import { report } from "../report.js";
import type { Definitions, User } from "../types.js";
import { assertKeys, assertUser, timeOf } from "../user.js";
import { Layer, NoOrigin, type Known, type Origin } from "./origin.js";
import { overriding, type Overrides } from "./overrides.js";
import { SnapshotOrigin } from "./snapshot.js";
import type { AnyFlags, FlagResult, Flags, FlagTypes, ForUserOptions, NoValueReason, RequestContext, UserFlags } from "./types.js";
import { FlagsOfUser } from "./user.js";

/** What is used of a reader. */
export interface DefinitionsReader {
  current(ctx?: RequestContext): Promise<Definitions>;
}

/** Options of `createFlags`. */
export interface FlagsOptions<M extends FlagTypes<M> = AnyFlags> {
  /**
   * Where flags come from: a reader of `createReader`, definitions of `load`, or whatever `createReader` takes for
   * a source (a KV or R2 binding, a URL, a source, a list of them), for which a reader with its defaults is made.
   */
  reader: DefinitionsReader | Definitions | ReaderOptions["source"];
  /** Values that win over everything: for all users, read once here, or made for each. They are no exposures. */
  overrides?: Overrides<M> | undefined;
  /** Records what was read as `$feature_flag_called` events: `createExposures`. Default: nothing is recorded. */
  exposures?: Exposures | undefined;
  /**
   * Asks PostHog's server, before `forUser` resolves, for the flags that are unresolved for the user: `remoteFallback`.
   * Of those, only `flagKeys` where they are given; without a usable snapshot, `flagKeys` or all flags. Default: nobody
   * is asked.
   */
  remote?: RemoteFallback | undefined;
  /** The time that relative dates ("30 days ago") count from, asked once per user. Default: the present. */
  now?: Date | (() => Date) | undefined;
  /**
   * Whether `forUser` throws when there is no snapshot, and a flag's method when the evaluator fails. Default:
   * flags have no value, their `reason` says why, and `onError` is told once until it works again.
   */
  strict?: boolean | undefined;
  /** Told of failures that were answered with defaults. Default: `console.warn`. */
  onError?: ((error: FlagpostError) => void) | undefined;
}

/**
 * Makes a client that answers flags in PostHog's words. Make one at module scope, or on the first request, and
 * keep it.
 *
 * ```ts
 * const flags = createFlags({ reader: env.FLAGS });
 * const user = await flags.forUser({ distinctId: "user-1" }, { ctx });
 * if (user.isEnabled("new-checkout")) …
 * ```
 *
 * `createFlags<MyFlags>(…)`, with the types that `flagpost types` writes, knows keys, variants and payloads.
 *
 * @throws FlagpostError `invalid_options`
 */
export function createFlags<M extends FlagTypes<M> = AnyFlags>(options: FlagsOptions<M>): Flags<M> {
  return new Client(options);
}

class Client<M extends FlagTypes<M>> implements Flags<M> {
  readonly #options: FlagsOptions<M>;
  readonly #reader: DefinitionsReader;
  readonly #overridesOf: (user: User) => ReadonlyMap<string, Known>;
  /** Whether the failure to get a snapshot was told. */
  #missing = false;
  /** Definitions that the evaluator failed with, which was told. */
  readonly #broken = new WeakSet<Definitions>();

  constructor(options: FlagsOptions<M>) {
    this.#options = options;
    this.#reader = readerOf(options);
    this.#overridesOf = overriding(options.overrides);
    this.#now();
  }

  async forUser(user: User, options?: ForUserOptions): Promise<UserFlags<M>> {
    assertUser(user);
    // JavaScript may well pass null, for either.
    const flagKeys = options?.flagKeys ?? undefined;
    assertKeys(flagKeys);
    const now = this.#now();
    const overrides = this.#overridesOf(user);
    const definitions = await this.#current(options?.ctx);
    let origin: Origin =
      typeof definitions === "string"
        ? new NoOrigin(definitions)
        : new SnapshotOrigin(definitions, user, now, (error) => this.#failed(definitions, error));
    const remote = await this.#askRemote(origin, user, flagKeys, overrides);
    if (remote !== null) origin = new Layer(origin, remote.flags, "remote");
    if (overrides.size > 0) origin = new Layer(origin, overrides, "override");
    return new FlagsOfUser<M>(origin, this.#recorder(user, typeof definitions === "string" ? undefined : definitions, remote, options ?? {}));
  }

  async #askRemote(
    origin: Origin,
    user: User,
    flagKeys: readonly string[] | undefined,
    overrides: ReadonlyMap<string, Known>,
  ): Promise<RemoteAnswers | null> {
    const { remote } = this.#options;
    if (remote === undefined) return null;
    const undecided = undecidedOf(origin, flagKeys)?.filter((key) => !overrides.has(key));
    return undecided?.length === 0 ? null : remote.ask(user, undecided);
  }

  #recorder(
    user: User,
    definitions: Definitions | undefined,
    remote: RemoteAnswers | null,
    { ctx, sendFeatureFlagEvents = true }: ForUserOptions,
  ): ((result: FlagResult) => void) | undefined {
    const { exposures } = this.#options;
    if (exposures === undefined || !sendFeatureFlagEvents) return undefined;
    return (result) => {
      const call = callOf(result, user, remote);
      if (call !== undefined) exposures.record(call, { ctx, definitions, minimal: remote?.minimal });
    };
  }

  /** The definitions, or why there are none. */
  async #current(ctx: RequestContext | undefined): Promise<Definitions | NoValueReason> {
    try {
      const definitions = await this.#reader.current(ctx);
      this.#missing = false;
      return definitions;
    } catch (cause) {
      const error = cause instanceof FlagpostError ? cause : failed(cause);
      if (this.#options.strict) throw error;
      if (!this.#missing) report(this.#options.onError, error);
      this.#missing = true;
      return error.code === "stale_snapshot" ? "stale_snapshot" : "no_snapshot";
    }
  }

  #failed(definitions: Definitions, error: FlagpostError): void {
    if (this.#options.strict) throw error;
    if (!this.#broken.has(definitions)) report(this.#options.onError, error);
    this.#broken.add(definitions);
  }

  #now(): Date {
    const { now } = this.#options;
    return new Date(timeOf(typeof now === "function" ? now() : now));
  }
}

/** The flags that PostHog's server may decide; undefined: all there are. */
function undecidedOf(origin: Origin, flagKeys: readonly string[] | undefined): string[] | undefined {
  if (origin.snapshot === null) return flagKeys?.slice();
  if (flagKeys === undefined) return Object.keys(origin.all().unresolved);
  return flagKeys.filter((key) => {
    const { value, reason } = origin.find(key);
    return value === undefined && reason !== "flag_not_found";
  });
}

function readerOf({ reader, onError }: FlagsOptions<never>): DefinitionsReader {
  const thing = reader as Partial<DefinitionsReader & Definitions> | null | undefined;
  if (typeof thing?.current === "function") return thing as DefinitionsReader;
  if (typeof thing?.free === "function") return { current: async () => thing as Definitions };
  return createReader({ source: reader as ReaderOptions["source"], onError });
}

function failed(cause: unknown): FlagpostError {
  return new FlagpostError("source_failed", `the reader failed: ${String(cause)}`, { cause });
}
