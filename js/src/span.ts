/** A stretch of time, in milliseconds of the clock. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The stretch that lies behind everything. */
export const OVER: Span = { fromMs: 0, toMs: 0 };

/** Clocks that are kept in step go back by less than this. */
const STEP_MS = 1000;

/** The milliseconds that begin now. */
export function spanOf(now: number, ms: number): Span {
  return { fromMs: now, toMs: now + ms };
}

/**
 * Whether a span is not over yet. Once the clock was set back to before its beginning, it is: else what waits for
 * its end would wait as much longer as the clock went back.
 */
export function isWithin({ fromMs, toMs }: Span, now: number): boolean {
  return now < toMs && now > fromMs - STEP_MS;
}
