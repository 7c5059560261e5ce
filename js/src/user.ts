import { FlagpostError } from "./errors.js";
import type { User } from "./types.js";

/** posthog-node's client answers nothing without a distinct id; here it is an error that says so. */
export function assertUser(user: unknown): asserts user is User {
  const fix = 'pass { distinctId: "user-1" }';
  if (typeof user !== "object" || user === null) {
    const what = user === null ? "null" : `a ${typeof user}`;
    throw new FlagpostError("invalid_user", `the user is ${user === undefined ? "missing" : what}: ${fix}`);
  }
  const id = (user as { distinctId?: unknown }).distinctId;
  if (id === undefined || id === null) {
    throw new FlagpostError("invalid_user", `the user's distinctId is missing: ${fix}`);
  }
  if (typeof id !== "string" && typeof id !== "number" && typeof id !== "bigint") {
    throw new FlagpostError("invalid_user", `the user's distinctId is a ${typeof id}, not a string: ${fix}`);
  }
  const { groups, personProperties, groupProperties } = user as User;
  assertMap("groups", groups);
  assertMap("personProperties", personProperties);
  assertMap("groupProperties", groupProperties);
}

function assertMap(member: string, map: unknown): void {
  if (map !== undefined && map !== null && typeof map !== "object") {
    throw new FlagpostError("invalid_user", `the user's ${member} is a ${typeof map}, not an object`);
  }
}

/** Keys of flags are a list; JavaScript may well pass one alone. */
export function assertKeys(flagKeys: unknown): asserts flagKeys is readonly string[] | undefined {
  if (flagKeys === undefined || Array.isArray(flagKeys)) return;
  throw new FlagpostError("invalid_options", 'flagKeys is no list: pass { flagKeys: ["a-flag"] }');
}

/** Milliseconds of the time to evaluate at: the present unless one is given. */
export function timeOf(now: Date | undefined): number {
  // JavaScript may well pass null, which as a number is 1970.
  if (now === undefined || now === null) return Date.now();
  let ms = NaN;
  try {
    ms = Number(now);
  } catch {
    // A symbol or something of the kind is no date either.
  }
  if (Number.isNaN(ms)) throw new FlagpostError("invalid_options", "now is no valid date: pass a Date");
  return ms;
}
