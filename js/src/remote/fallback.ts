import { causes } from "../causes.js";
import { FlagpostError } from "../errors.js";
import { atLeast, postTo, timeoutOf, type Post, type PostOptions } from "../post.js";
import { report } from "../report.js";
import { isWithin, OVER, spanOf, type Span } from "../span.js";
import type { User } from "../types.js";
import { answersOf } from "./answers.js";
import { Remembered } from "./remembered.js";
import { requestBody, type RequestOptions } from "./request.js";
import type { RemoteAnswers, RemoteFallback } from "./types.js";

/** Seconds that PostHog is left alone after a failure, and after it said that a quota is used up. */
const REST_SECONDS = 5;
const QUOTA_SECONDS = 60;

/** Options of `remoteFallback`. */
export interface RemoteFallbackOptions extends PostOptions, RequestOptions {
  /** Milliseconds that `forUser` waits for PostHog at most. Default: 1,000. */
  timeoutMs?: number | undefined;
  /**
   * Seconds that an answer is used again for the same user, properties and flags, unless they take more than 16,384
   * characters as JSON; 0: never. Default: 60.
   */
  cacheSeconds?: number | undefined;
  /** Answers that are kept; of more, the least recently used are forgotten. Default: 1,000. */
  maxEntries?: number | undefined;
  /** Told of failures, after which PostHog is left alone for 5 seconds, or 60 over quota. Default: `console.warn`. */
  onError?: ((error: FlagpostError) => void) | undefined;
}

/**
 * Makes what `createFlags({ remote })` asks PostHog's server with, for flags that cannot be decided here. It costs a
 * request (billed by PostHog) per user and `cacheSeconds`, only for users of whom some asked flag is unresolved.
 *
 * @throws FlagpostError `invalid_options`
 */
export function remoteFallback(options: RemoteFallbackOptions): RemoteFallback {
  return new Remote(options);
}

class Remote implements RemoteFallback {
  readonly #options: RemoteFallbackOptions;
  readonly #post: Post;
  readonly #remembered: Remembered;
  readonly #timeoutMs: number;
  readonly #seconds: number;
  /** How long nobody asks, and what all are told meanwhile. */
  #rest: { span: Span; answers: RemoteAnswers | null } = { span: OVER, answers: null };

  constructor(options: RemoteFallbackOptions) {
    const { timeoutMs = 1000, cacheSeconds = 60, maxEntries = 1000 } = options;
    this.#options = options;
    this.#post = postTo(options);
    this.#timeoutMs = timeoutOf(timeoutMs);
    this.#seconds = atLeast(0, "cacheSeconds", cacheSeconds);
    this.#remembered = new Remembered(atLeast(0, "maxEntries", maxEntries));
  }

  async ask(user: User, flagKeys: readonly string[] | undefined): Promise<RemoteAnswers | null> {
    let body: string;
    try {
      body = requestBody(this.#post.projectKey, user, flagKeys, this.#options);
    } catch (error) {
      this.#report(`the user cannot be sent as JSON (${String(error)})`);
      return null;
    }
    const known = this.#remembered.get(body);
    if (known !== undefined) return known;
    if (isWithin(this.#rest.span, Date.now())) return this.#rest.answers;
    try {
      return await this.#request(body);
    } catch (error) {
      return this.#giveUp(`PostHog cannot be asked (${causes(error)})`, REST_SECONDS, null);
    }
  }

  async #request(body: string): Promise<RemoteAnswers | null> {
    const { status, text } = await this.#post("/flags/?v=2", body, this.#timeoutMs);
    if (status !== 200) return this.#giveUp(`PostHog answered with status ${status}`, REST_SECONDS, null);
    const answers = answersOf(text);
    if (answers.errors.includes("quota_limited")) {
      this.#giveUp("PostHog reports quota_limited", QUOTA_SECONDS, { ...answers, requestId: undefined, evaluatedAt: undefined });
    } else if (answers.errors.length > 0) {
      // Another user's flags may well be computed.
      this.#remembered.set(body, answers, Math.min(REST_SECONDS, this.#seconds));
      this.#report(`PostHog reports ${answers.errors.join(", ")}`);
    } else {
      this.#remembered.set(body, answers, this.#seconds);
    }
    return answers;
  }

  #giveUp(why: string, seconds: number, answers: RemoteAnswers | null): RemoteAnswers | null {
    this.#rest = { span: spanOf(Date.now(), seconds * 1000), answers };
    this.#report(why);
    return answers;
  }

  #report(why: string): void {
    report(this.#options.onError, new FlagpostError("remote_failed", `flags stay unresolved: ${why}`));
  }
}
