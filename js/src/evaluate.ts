import { compiledOf } from "./definitions.js";
import { isUnanswered, unanswered } from "./stale.js";
import type { Answer, Answers, Definitions, EvaluateOptions, Loadable, User } from "./types.js";
import { assertKeys, assertUser, timeOf } from "./user.js";

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
  assertKeys(keys);
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
