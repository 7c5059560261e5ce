import { isWithin, spanOf, type Span } from "../span.js";
import type { RemoteAnswers } from "./types.js";

/** Requests longer than this, with hundreds of flags say, are not remembered, which bounds the memory of all. */
const LONGEST = 16_384;

/** Answers by the request that they were given to, the least recently used first. */
export class Remembered {
  readonly #most: number;
  readonly #byRequest = new Map<string, { answers: RemoteAnswers; span: Span }>();

  constructor(most: number) {
    this.#most = most;
  }

  get(request: string): RemoteAnswers | undefined {
    const entry = this.#byRequest.get(request);
    if (entry === undefined) return undefined;
    this.#byRequest.delete(request);
    if (!isWithin(entry.span, Date.now())) return undefined;
    this.#byRequest.set(request, entry);
    return entry.answers;
  }

  set(request: string, answers: RemoteAnswers, seconds: number): void {
    if (seconds === 0 || request.length > LONGEST) return;
    this.#byRequest.delete(request);
    this.#byRequest.set(request, { answers, span: spanOf(Date.now(), seconds * 1000) });
    if (this.#byRequest.size > this.#most) this.#byRequest.delete(this.#byRequest.keys().next().value as string);
  }
}
