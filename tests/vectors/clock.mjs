/** A clock that stands still, in every runtime that has a global `Date`. */

/** Runs `action` while `new Date()` and `Date.now()` give `now`; without `now`, the clock goes on. */
export async function atTime(now, action) {
  if (now === undefined) return action();
  const { Date: Real } = globalThis;
  const instant = new Real(now).getTime();
  function Fixed(...parts) {
    if (new.target === undefined) return new Real(instant).toString();
    return parts.length === 0 ? new Real(instant) : new Real(...parts);
  }
  // One prototype for both, so that dates made before are still instances of Date.
  Fixed.prototype = Real.prototype;
  Object.assign(Fixed, { parse: Real.parse, UTC: Real.UTC, now: () => instant });
  globalThis.Date = Fixed;
  try {
    return await action();
  } finally {
    globalThis.Date = Real;
  }
}
