/** Versions and times: which comes first. */
const MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** -1, 0 or 1. */
export function compareVersions(left, right) {
  for (let index = 0; index < 3; index++) {
    if (left[index] !== right[index]) return left[index] < right[index] ? -1 : 1;
  }
  return 0;
}

/** The time `amount` of `unit` before `now`, both in milliseconds since 1970, by the calendar of UTC. */
export function timeBefore(now, amount, unit) {
  if (unit in MS) return now - amount * MS[unit];
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  let day = date.getUTCDate();
  if (unit === "y") return date.setUTCFullYear(year - amount, month, amount > 0 && month === 1 && day === 29 ? 28 : day);
  for (let step = 1; step <= amount && day > 28; step++) day = Math.min(day, new Date(Date.UTC(year, month - step + 1, 0)).getUTCDate());
  return date.setUTCFullYear(year, month - amount, day);
}
