import {
  ErrorCode,
  OpenFeatureError,
  ProviderNotReadyError,
  StandardResolutionReasons,
  type AnyProviderEvent,
  type EvaluationContext,
  type JsonValue,
  type ProviderEventEmitter,
  type ResolutionDetails,
} from "@openfeature/core";
import { FlagpostError } from "../errors.js";
import type { AnyFlags, FlagResult, Flags, FlagTypes, KeyOf, UserFlags } from "../flags/types.js";
import { LONGEST_MS } from "../reader/timers.js";
import type { User } from "../types.js";
import { answering, PRELOAD } from "./answering.js";
import { userOf } from "./context.js";
import { detailsOf, errorDetails, type FlagType } from "./details.js";
import { openFeatureError } from "./errors.js";
import { Emitter } from "./emitter.js";
import { ERROR, READY, Watch } from "./watch.js";

/** Options of the browser's `FlagpostProvider`. */
export interface FlagpostProviderOptions {
  /** The distinct id for a context without `targetingKey`. Default: evaluations then are the error TARGETING_KEY_MISSING. */
  defaultDistinctId?: string | undefined;
  /**
   * Seconds between looks at the snapshot, 0: none but those that `refresh()` asks for. Default: 60.
   *
   * A look finds what the reader gives: within its `ttl` nothing new, and what it refreshes behind an answer one look
   * later, unless its `staleWhileRevalidate` is 0.
   */
  refreshInterval?: number | undefined;
}

/**
 * OpenFeature provider for browsers, over a client of `createFlags` whose reader has an embedded or a fetched snapshot.
 *
 * ```ts
 * import { OpenFeature } from "@openfeature/web-sdk";
 * import { createFlags, createReader } from "flagpost/slim";
 * import { FlagpostProvider } from "flagpost/openfeature-web";
 *
 * const reader = createReader({ source: "https://flags.example/snapshot", ttl: 30, staleWhileRevalidate: 0 });
 * const provider = new FlagpostProvider(createFlags({ reader }));
 * await OpenFeature.setProviderAndWait(provider, { targetingKey: "user-1", plan: "pro" });
 * const on = OpenFeature.getClient().getBooleanValue("new-checkout", false);
 * ```
 *
 * The snapshot is read by `initialize`, and again for every context and after `refreshInterval`; evaluations
 * are synchronous and ask nobody. Context, values, error codes and metadata are those of `flagpost/openfeature`.
 *
 * While a new context is reconciled, the answers are the former user's, with the reason STALE. If it fails, nobody's
 * answers are given. Events: PROVIDER_CONFIGURATION_CHANGED when the snapshot's version differs, PROVIDER_STALE when it
 * is older than the reader's `maxAge`, PROVIDER_ERROR when there is none that may be used, PROVIDER_READY when that is
 * over. The rest is the SDK's.
 *
 * Whoever loads the page can read the definitions that it fetches, with the values that their rules compare. Publish a
 * snapshot made for browsers: `refresher run --runtime client --drop-names`.
 */
export class FlagpostProvider<M extends FlagTypes<M> = AnyFlags> {
  readonly metadata = { name: "flagpost" } as const;
  readonly runsOn = "client";
  readonly events: ProviderEventEmitter<AnyProviderEvent> = new Emitter();
  readonly #flags: Flags<M>;
  readonly #defaultDistinctId: string | undefined;
  readonly #intervalMs: number;
  #watch = new Watch(this.events);
  /** Who the flags are for, with what they are, or with why there are none. */
  #user: User | undefined;
  #answers: UserFlags<M> | OpenFeatureError = notReady();
  #reconciling = false;
  /** Between `initialize` and `onClose`. */
  #open = false;
  /** Counts contexts, so that one that was overtaken changes nothing. */
  #turn = 0;
  /** Counts looks that were begun, and the last of those that ended. */
  #looks = 0;
  #looked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(flags: Flags<M>, options: FlagpostProviderOptions = {}) {
    const { refreshInterval = 60 } = options;
    if (!(refreshInterval >= 0)) {
      throw new FlagpostError("invalid_options", "refreshInterval is a number of seconds, 0 or more");
    }
    this.#flags = flags;
    this.#defaultDistinctId = options.defaultDistinctId;
    this.#intervalMs = refreshInterval * 1000;
  }

  /** Reads the snapshot and evaluates for the context. Rejects when there is no snapshot, or none that can be used. */
  async initialize(context?: EvaluationContext): Promise<void> {
    this.#open = true;
    try {
      await this.#change(context);
    } finally {
      // After a failure too: the next look may find a snapshot.
      this.#schedule();
    }
  }

  /** Evaluates for the new context. Rejects like `initialize`. */
  onContextChange(_oldContext: EvaluationContext, newContext: EvaluationContext): Promise<void> {
    return this.#change(newContext);
  }

  /** Looks at the snapshot now (the reader's TTL still holds), and evaluates anew for the same user. Never rejects: a failure is PROVIDER_ERROR. */
  async refresh(): Promise<void> {
    const turn = this.#turn;
    const user = this.#user;
    if (user === undefined || this.#reconciling) return;
    const look = ++this.#looks;
    const answers = await this.#ask(user);
    // A look that began later has ended earlier: what it found is newer.
    if (turn !== this.#turn || look < this.#looked) return;
    this.#looked = look;
    this.#answers = answers;
    if (answers instanceof OpenFeatureError) this.#watch.turn(ERROR, answers.message);
    else this.#watch.saw(answers.snapshot);
  }

  resolveBooleanEvaluation(key: string, defaultValue: boolean): ResolutionDetails<boolean> {
    return this.#resolve("boolean", key, defaultValue);
  }

  resolveStringEvaluation(key: string, defaultValue: string): ResolutionDetails<string> {
    return this.#resolve("string", key, defaultValue);
  }

  resolveNumberEvaluation(key: string, defaultValue: number): ResolutionDetails<number> {
    return this.#resolve("number", key, defaultValue);
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, defaultValue: T): ResolutionDetails<T> {
    return this.#resolve("object", key, defaultValue);
  }

  /** Stops looking and forgets the user. The client and its reader belong to whoever made them. */
  async onClose(): Promise<void> {
    this.#turn++;
    this.#open = false;
    clearTimeout(this.#timer);
    this.#user = undefined;
    this.#answers = notReady();
    this.#reconciling = false;
    this.#watch = new Watch(this.events);
  }

  async #change(context: EvaluationContext | undefined): Promise<void> {
    const turn = ++this.#turn;
    this.#reconciling = true;
    let user: User | undefined;
    let answers: UserFlags<M> | OpenFeatureError;
    try {
      user = userOf(context, this.#defaultDistinctId);
      answers = await this.#ask(user);
    } catch (error) {
      answers = openFeatureError(error);
      // A snapshot that cannot be read is told now, not when the user logs in.
      const nobody = answers.code === ErrorCode.TARGETING_KEY_MISSING ? await this.#ask(PRELOAD, []) : undefined;
      if (nobody instanceof OpenFeatureError) answers = nobody;
    }
    if (turn !== this.#turn) return;
    this.#reconciling = false;
    this.#user = user;
    this.#answers = answers;
    if (answers instanceof OpenFeatureError) return this.#refuse(answers);
    const { snapshot } = answers;
    this.#watch.told(READY);
    this.#watch.sawVersion(snapshot);
    // The SDK says ready when this has returned; that the snapshot is stale must come after it.
    if (snapshot?.stale) setTimeout(() => turn === this.#turn && this.#watch.saw(snapshot));
  }

  /** The client's answers, or why there are none. */
  async #ask(user: User, flagKeys?: readonly string[]): Promise<UserFlags<M> | OpenFeatureError> {
    try {
      return answering(await this.#flags.forUser(user, { flagKeys }));
    } catch (error) {
      return openFeatureError(error);
    }
  }

  /** A page without a user is in order: its evaluations say what they lack. */
  #refuse(error: OpenFeatureError): void {
    if (error.code === ErrorCode.TARGETING_KEY_MISSING) return this.#watch.told(READY);
    this.#watch.told(ERROR);
    throw error;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (!this.#open || this.#intervalMs === 0 || this.#intervalMs > LONGEST_MS) return;
    this.#timer = setTimeout(() => void this.refresh().then(() => this.#schedule()), this.#intervalMs);
    // Node has timers that keep the process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #resolve<T>(type: FlagType, key: string, defaultValue: T): ResolutionDetails<T> {
    const answers = this.#answers;
    if (answers instanceof OpenFeatureError) return errorDetails(answers, defaultValue);
    try {
      const result = answers.getFeatureFlagResult(key as KeyOf<M>) as FlagResult;
      const details = detailsOf(type, result, defaultValue);
      if (!this.#reconciling || details.errorCode !== undefined) return details;
      return { ...details, reason: StandardResolutionReasons.STALE };
    } catch (error) {
      return errorDetails(openFeatureError(error), defaultValue);
    }
  }
}

function notReady(): OpenFeatureError {
  return new ProviderNotReadyError("the provider was not initialized: await OpenFeature.setProviderAndWait(provider, context)");
}
