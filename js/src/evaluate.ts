import { compiledOf } from "./definitions.js";
import { FlagpostError } from "./errors.js";
import { isUnanswered, unanswered } from "./stale.js";
import type { Answer, Answers, Definitions, EvaluateOptions, Loadable, User } from "./types.js";

/**
 * Evaluates flags for a user, synchronously.
 *
 * The user is completed as posthog-node's client does it: `distinct_id` and `$group_key` become
 * properties unless given, and properties of groups the user is not in are left aside.
 *
 * @param definitions What `load` returned, or anything that `load` takes.
 * @throws FlagpostError `invalid_user`, `invalid_options`, and all that `load` throws
 */
export function evaluate(
  definitions: Definitions | Loadable,
  user: User,
  options?: EvaluateOptions,
): Answers {
  const compiled = compiledOf(definitions);
  assertUser(user);
  const now = timeOf(options?.now);
  const keys = options?.flagKeys ?? undefined;
  if (keys !== undefined && !Array.isArray(keys)) {
    throw new FlagpostError("invalid_options", 'flagKeys is no list: pass { flagKeys: ["a-flag"] }');
  }
  return isUnanswered(definitions) ? unanswered(compiled, keys) : compiled.answers(keys, user, now);
}

/**
 * Evaluates one flag for a user, synchronously: its value, with the parsed payload if it has one; or
 * why only PostHog's server can tell; or undefined when there is no such flag.
 *
 * @param definitions What `load` returned, or anything that `load` takes.
 * @throws FlagpostError `invalid_user`, `invalid_options`, and all that `load` throws
 */
export function evaluateFlag(
  definitions: Definitions | Loadable,
  key: string,
  user: User,
  options?: Omit<EvaluateOptions, "flagKeys">,
): Answer | undefined {
  const compiled = compiledOf(definitions);
  assertUser(user);
  const now = timeOf(options?.now);
  if (isUnanswered(definitions)) return compiled.has(key) ? { unresolved: "stale_snapshot" } : undefined;
  return compiled.answer(key, user, now);
}

/** posthog-node's client answers nothing without a distinct id; here it is an error that says so. */
function assertUser(user: unknown): asserts user is User {
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

function timeOf(now: Date | undefined): number {
  if (now === undefined) return Date.now();
  let ms = NaN;
  try {
    ms = Number(now);
  } catch {
    // A symbol or something of the kind is no date either.
  }
  if (Number.isNaN(ms)) throw new FlagpostError("invalid_options", "now is no valid date: pass a Date");
  return ms;
}
