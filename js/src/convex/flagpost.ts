import { readsClock } from "../clock.js";
import { createFlags, evaluate, load } from "../entry/inline-slim.js";
import { FlagpostError } from "../errors.js";
import type { AnyFlags, FlagsAndPayloads, FlagTypes, KeyOf, PayloadOf, UserFlags, ValueOf } from "../flags/types.js";
import { report } from "../report.js";
import { DEFAULT_KEY } from "../source.js";
import type { Definitions, User } from "../types.js";
import { noSnapshot, readStored, type FlagpostCtx } from "./source.js";

/** Options of `Flagpost`. */
export interface FlagpostOptions {
  /** What stands behind `#` in the refresher's `--store convex:URL#NAME`. Default: `flagpost`. */
  name?: string | undefined;
  /**
   * Who asks, by the context of the function: of `ctx.auth`, for example. What it gives goes before the
   * `distinctId` of the call; null leaves it to that.
   */
  identify?: ((ctx: any) => Promise<{ distinctId: string } | null>) | undefined;
  /**
   * Keep only the flags of these evaluation contexts, and those of none. Default: keep all flags. For a few odd
   * definitions (two flags with one key, say) this takes the compiler, and fails with `needs_compiler`.
   */
  evaluationContexts?: readonly string[] | undefined;
  /**
   * The time that relative dates ("30 days ago") count from. Asked only if a flag has one, because Convex
   * keeps the answer of a query that reads the clock for a short time only. Default: the present.
   */
  now?: (() => Date) | undefined;
  /**
   * Whether the function fails when there is no snapshot yet, or when it cannot be used. Default: flags have
   * no value, and `onError` is told once per call.
   */
  strict?: boolean | undefined;
  /** Told of failures that were answered with no value. Default: `console.warn`. */
  onError?: ((error: FlagpostError) => void) | undefined;
}

/** Whom a flag is asked for. Without `distinctId`, `identify` has to tell. */
export interface UserArgs extends Omit<User, "distinctId"> {
  distinctId?: string | undefined;
  /** Taken so that calls of @posthog/convex need no change: nothing is sent to PostHog, so it has no effect. */
  disableGeoip?: boolean | undefined;
}

/** A snapshot that was loaded in one call of a function, and the time that its relative dates count from. */
interface Loaded {
  readonly definitions: Definitions;
  readonly now: Date;
}

/** What `getFeatureFlagResult` gives, as @posthog/convex does. */
export interface FeatureFlagResult<P = unknown> {
  key: string;
  /** Whether the value is `true` or a variant. */
  enabled: boolean;
  variant: string | null;
  payload: P | null;
}

/**
 * Feature flags in Convex functions, with the names, arguments and results of @posthog/convex. Make one at
 * module scope. In queries and mutations the snapshot is read in their own transaction, so queries run
 * again when the refresher writes; in actions it is read by the query `flagpost:snapshot`. It is read once
 * for each context: all questions of one call of a function are answered by the same snapshot.
 *
 * Nothing is sent to PostHog. `undefined` means that the flag cannot be decided here: there is no such
 * flag, no snapshot yet, or only PostHog's server can tell; `forUser` gives the reason.
 */
export class Flagpost<M extends FlagTypes<M> = AnyFlags> {
  readonly #options: FlagpostOptions;
  /** By context: calls share nothing, and what one of them waits for ends with it. */
  readonly #loaded = new WeakMap<object, Promise<Loaded | null>>();

  constructor(options: FlagpostOptions = {}) {
    this.#options = options;
  }

  /**
   * The flags of one user, to be asked synchronously, with reasons and the snapshot that answers.
   *
   * @throws FlagpostError `invalid_user` without a distinct id, `source_failed` in an action when
   *   `convex/flagpost.ts` exports no `snapshot`
   */
  async forUser(ctx: FlagpostCtx, user: UserArgs = {}): Promise<UserFlags<M>> {
    const { onError, strict } = this.#options;
    const [loaded, who] = await this.#asked(ctx, user);
    if (loaded === null) return createFlags<M>({ reader: NONE, onError: () => {} }).forUser(who);
    return createFlags<M>({ reader: loaded.definitions, now: loaded.now, onError, strict }).forUser(who);
  }

  /** The flag's value: `true`, `false` or the variant's name. */
  async getFeatureFlag<K extends KeyOf<M>>(ctx: FlagpostCtx, args: UserArgs & { key: K }): Promise<ValueOf<M, K> | undefined> {
    return (await this.forUser(ctx, args)).getFeatureFlag(args.key);
  }

  /** Whether the flag is `true` or has a variant. */
  async isFeatureEnabled<K extends KeyOf<M>>(ctx: FlagpostCtx, args: UserArgs & { key: K }): Promise<boolean | undefined> {
    const value = await this.getFeatureFlag(ctx, args);
    return value === undefined ? undefined : value !== false;
  }

  /** The parsed payload of the flag's value; null if it has none, or if there is no such flag. */
  async getFeatureFlagPayload<K extends KeyOf<M>>(
    ctx: FlagpostCtx,
    args: UserArgs & { key: K },
  ): Promise<PayloadOf<M, K> | null | undefined> {
    if ("matchValue" in args && args.matchValue !== undefined) {
      throw new FlagpostError("invalid_options", "matchValue is not supported: getFeatureFlagResult gives the value and its payload");
    }
    const { payload, reason } = (await this.forUser(ctx, args)).getFeatureFlagResult(args.key);
    return reason === null || reason === "flag_not_found" ? (payload ?? null) : undefined;
  }

  /** Value and payload of a flag. */
  async getFeatureFlagResult<K extends KeyOf<M>>(
    ctx: FlagpostCtx,
    args: UserArgs & { key: K },
  ): Promise<FeatureFlagResult<PayloadOf<M, K>> | undefined> {
    const { key, enabled, variant, payload, reason } = (await this.forUser(ctx, args)).getFeatureFlagResult(args.key);
    return reason === null ? { key, enabled, variant: variant ?? null, payload: payload ?? null } : undefined;
  }

  /** The values of all flags that have one, or of those among `flagKeys`. */
  async getAllFlags(
    ctx: FlagpostCtx,
    args: UserArgs & { flagKeys?: readonly KeyOf<M>[] | undefined } = {},
  ): Promise<FlagsAndPayloads<M>["featureFlags"]> {
    return (await this.getAllFlagsAndPayloads(ctx, args)).featureFlags;
  }

  /** The same with payloads. Those that are 0, false or an empty text are left out, as posthog-node does. */
  async getAllFlagsAndPayloads(
    ctx: FlagpostCtx,
    args: UserArgs & { flagKeys?: readonly KeyOf<M>[] | undefined } = {},
  ): Promise<FlagsAndPayloads<M>> {
    const [loaded, user] = await this.#asked(ctx, args);
    if (loaded === null) return { featureFlags: {}, featureFlagPayloads: {} };
    const { featureFlags, featureFlagPayloads } = evaluate(loaded.definitions, user, { flagKeys: args.flagKeys, now: loaded.now });
    return { featureFlags, featureFlagPayloads } as FlagsAndPayloads<M>;
  }

  /** The snapshot, and who is asked about. */
  async #asked(ctx: FlagpostCtx, { distinctId, groups, personProperties, groupProperties }: UserArgs): Promise<[Loaded | null, User]> {
    const id = (await this.#options.identify?.(ctx))?.distinctId ?? distinctId;
    if (id === undefined || id === "") {
      throw new FlagpostError("invalid_user", "whose flags? pass distinctId, or an `identify` to `new Flagpost` that tells of the context");
    }
    let loaded = this.#loaded.get(ctx);
    if (loaded === undefined) this.#loaded.set(ctx, (loaded = this.#load(ctx)));
    return [await loaded, { distinctId: id, groups, personProperties, groupProperties }];
  }

  async #load(ctx: FlagpostCtx): Promise<Loaded | null> {
    const { name = DEFAULT_KEY, evaluationContexts, now, onError, strict } = this.#options;
    const stored = await readStored(ctx, name);
    try {
      if (stored === null) throw noSnapshot(name);
      const definitions = load(stored.bytes, { evaluationContexts });
      return { definitions, now: readsClock(stored.bytes) ? (now?.() ?? new Date()) : ANY_TIME };
    } catch (error) {
      if (strict || !(error instanceof FlagpostError)) throw error;
      report(onError, error);
      return null;
    }
  }
}

/** For definitions in which no date is relative. */
const ANY_TIME = new Date(0);

/** In the place of a snapshot. That there is none was told when it was looked for. */
const NONE = { current: () => Promise.reject(new FlagpostError("no_snapshot", "there is no snapshot")) };
