import {
  ErrorCode,
  type AnyProviderEvent,
  type EvaluationContext,
  type JsonValue,
  type ProviderEventEmitter,
  type ResolutionDetails,
} from "@openfeature/core";
import type { AnyFlags, FlagResult, Flags, FlagTypes, KeyOf, RequestContext } from "../flags/types.js";
import { answering, PRELOAD } from "./answering.js";
import { userOf } from "./context.js";
import { detailsOf, errorDetails, type FlagType } from "./details.js";
import { Emitter } from "./emitter.js";
import { openFeatureError } from "./errors.js";
import { ERROR, READY, Watch } from "./watch.js";

/** Options of the server's `FlagpostProvider`. */
export interface FlagpostProviderOptions {
  /** The distinct id for a context without `targetingKey`. Default: such an evaluation is the error TARGETING_KEY_MISSING. */
  defaultDistinctId?: string | undefined;
  /**
   * Whether `initialize` reads the snapshot, so that READY means that flags can be answered. With `false` the provider
   * is ready at once and the first evaluation reads: for Workers, where global scope may not read and requests
   * may not wait for each other. Default: true.
   */
  preload?: boolean | undefined;
  /** Keeps refreshing alive after an answer. In Workers: `{ waitUntil }`, imported from `cloudflare:workers`. */
  ctx?: RequestContext | undefined;
}

/**
 * OpenFeature provider for servers and edge runtimes, over a client of `createFlags`.
 *
 * ```ts
 * import { OpenFeature } from "@openfeature/server-sdk";
 * import { createFlags, createReader } from "flagpost";
 * import { FlagpostProvider } from "flagpost/openfeature";
 *
 * const reader = createReader({ source: "https://flags.example/snapshot" });
 * await OpenFeature.setProviderAndWait(new FlagpostProvider(createFlags({ reader })));
 * const on = await OpenFeature.getClient().getBooleanValue("new-checkout", false, { targetingKey: "user-1", plan: "pro" });
 * ```
 *
 * **Context**: `targetingKey` is the distinct id, `groups` and `groupProperties` are PostHog's, `personProperties` and
 * all other attributes are properties of the person. Dates stay dates.
 *
 * **Values**, as PostHog's own provider gives them: boolean, whether the flag is on (every variant is); string, the
 * variant's name; number, that name as a number; object, the payload. A flag without a fitting variant also answers
 * with a payload that is a string or a number. What is off answers `false`, or the default for the other types.
 *
 * **Reasons**: TARGETING_MATCH when on; DEFAULT when `false`; STALE when the snapshot is older than the reader's
 * `maxAge`; STATIC for an override; ERROR with a code:
 *
 * | code | when |
 * |---|---|
 * | TARGETING_KEY_MISSING | no `targetingKey` and no `defaultDistinctId` |
 * | INVALID_CONTEXT | a context of the wrong shape; a context without a property, a group or `$device_id` that the flag depends on (`missing_context`) |
 * | FLAG_NOT_FOUND | the snapshot has no such flag |
 * | TYPE_MISMATCH | the flag is on, with nothing of the type asked for |
 * | PROVIDER_NOT_READY | there is no snapshot yet, or the source fails and none was ever read |
 * | PARSE_ERROR | a `strict` client says that what is stored is damaged, or no definitions |
 * | PROVIDER_FATAL | a `strict` client says `needs_compiler`, `no_webassembly` or `invalid_options`: only a change of the program helps |
 * | GENERAL | a flag only PostHog's server can decide (the message names posthog-node's reason), `stale_snapshot`, anything else |
 *
 * **Flag metadata**: `version` and `ageSeconds` of the snapshot, `stale`, `source` (`snapshot`, `remote`, `override`,
 * `none`), `unresolved` (why there is no value).
 *
 * **Events**, seen by evaluations: PROVIDER_CONFIGURATION_CHANGED when the snapshot's version differs, PROVIDER_STALE,
 * PROVIDER_ERROR when nothing answers, PROVIDER_READY when that is over.
 *
 * The SDK imports `node:events`: Workers need the flag `nodejs_compat`.
 */
export class FlagpostProvider<M extends FlagTypes<M> = AnyFlags> {
  readonly metadata = { name: "flagpost" } as const;
  readonly runsOn = "server";
  readonly events: ProviderEventEmitter<AnyProviderEvent> = new Emitter();
  /** Reads the snapshot; absent with `preload: false`. Rejects when there is none, or none that can be used. */
  readonly initialize?: () => Promise<void>;
  readonly #flags: Flags<M>;
  readonly #options: FlagpostProviderOptions;
  #watch = new Watch(this.events);

  constructor(flags: Flags<M>, options: FlagpostProviderOptions = {}) {
    this.#flags = flags;
    this.#options = options;
    if (options.preload !== false) this.initialize = () => this.#preload();
  }

  resolveBooleanEvaluation(key: string, defaultValue: boolean, context: EvaluationContext): Promise<ResolutionDetails<boolean>> {
    return this.#resolve("boolean", key, defaultValue, context);
  }

  resolveStringEvaluation(key: string, defaultValue: string, context: EvaluationContext): Promise<ResolutionDetails<string>> {
    return this.#resolve("string", key, defaultValue, context);
  }

  resolveNumberEvaluation(key: string, defaultValue: number, context: EvaluationContext): Promise<ResolutionDetails<number>> {
    return this.#resolve("number", key, defaultValue, context);
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, defaultValue: T, context: EvaluationContext): Promise<ResolutionDetails<T>> {
    return this.#resolve("object", key, defaultValue, context);
  }

  /** Forgets what it saw. The client and its reader belong to whoever made them. */
  async onClose(): Promise<void> {
    this.#watch = new Watch(this.events);
  }

  /** Calls with one context share a promise, which only calls of one request may: each evaluation has its own. */
  #context(): RequestContext | undefined {
    const { ctx } = this.#options;
    return typeof ctx?.waitUntil === "function" ? { waitUntil: (work) => ctx.waitUntil?.(work) } : undefined;
  }

  async #preload(): Promise<void> {
    try {
      const { snapshot } = answering(await this.#flags.forUser(PRELOAD, { flagKeys: [], ctx: this.#context() }));
      this.#watch.told(READY);
      this.#watch.sawVersion(snapshot);
    } catch (error) {
      this.#watch.told(ERROR);
      throw openFeatureError(error);
    }
  }

  async #resolve<T>(type: FlagType, key: string, defaultValue: T, context: EvaluationContext): Promise<ResolutionDetails<T>> {
    try {
      const user = userOf(context, this.#options.defaultDistinctId);
      const flags = await this.#flags.forUser(user, { flagKeys: [key], ctx: this.#context() });
      const result = flags.getFeatureFlagResult(key as KeyOf<M>) as FlagResult;
      this.#watch.saw(result.snapshot, result.reason);
      return detailsOf(type, result, defaultValue);
    } catch (error) {
      const mapped = openFeatureError(error);
      if (!CALLERS.includes(mapped.code)) this.#watch.turn(ERROR, mapped.message);
      return errorDetails(mapped, defaultValue);
    }
  }
}

/** What is wrong with one evaluation's context says nothing about the provider. */
const CALLERS: readonly ErrorCode[] = [ErrorCode.TARGETING_KEY_MISSING, ErrorCode.INVALID_CONTEXT];
