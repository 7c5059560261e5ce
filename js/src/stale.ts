import type { Compiled } from "./compiled.js";
import { define } from "./payloads.js";
import type { Answers, Definitions, Loadable } from "./types.js";

/** Marks definitions that are too old to answer. Registered, as the ESM and the CJS copy of this package ask each other. */
export const UNANSWERED: unique symbol = Symbol.for("flagpost.unanswered") as never;

/** Whether a reader gave these definitions out as too old to answer. */
export function isUnanswered(definitions: Definitions | Loadable): boolean {
  return (definitions as { [UNANSWERED]?: boolean })[UNANSWERED] === true;
}

/** The answers of such definitions: every flag that there is, of those asked, is unresolved. */
export function unanswered(compiled: Compiled, keys: readonly string[] | undefined): Answers {
  const unresolved: Answers["unresolved"] = {};
  for (const key of keys ?? compiled.flagKeys()) {
    if (keys === undefined || compiled.has(key)) define(unresolved, key, "stale_snapshot");
  }
  return { featureFlags: {}, featureFlagPayloads: {}, unresolved };
}
