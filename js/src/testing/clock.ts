import { FlagpostError } from "../errors.js";

/** A clock that stands still until it is moved: for the `now` of `createFlags`. */
export interface FixedClock {
  /** The clock's time. */
  (): Date;
  /** Moves it on by so many seconds. */
  advance(seconds: number): void;
  /** Sets it. */
  set(time: Date | string): void;
}

/**
 * A clock that stands still at a time.
 *
 * @throws FlagpostError `invalid_options` where the time is none
 */
export function fixedClock(time: Date | string): FixedClock {
  let ms = msOf(time);
  return Object.assign(() => new Date(ms), {
    advance: (seconds: number) => {
      ms += seconds * 1000;
    },
    set: (to: Date | string) => {
      ms = msOf(to);
    },
  });
}

function msOf(time: Date | string): number {
  const ms = new Date(time).getTime();
  if (Number.isNaN(ms)) throw new FlagpostError("invalid_options", 'the clock\'s time is none: pass a Date, or a text like "2026-01-31T12:00:00Z"');
  return ms;
}
