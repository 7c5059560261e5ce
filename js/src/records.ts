import { parsed } from "./errors.js";
import { define } from "./payloads.js";
import type { Ruleset } from "./ruleset.js";

/*
 * The evaluator gives a code per flag: 0 false, 1 true, 2 + n the text strings[n], -1 to -4 a reason,
 * -5 - n what strings[n] is the JSON of: what a malformed definition gives, as it does in posthog-node.
 */
const LAST_REASON = -4;

/** From so many members on, an object is made as a table from the start instead of becoming one on the way. */
const TABLE = 64;

type Value = boolean | string;
type Keys = readonly (string | undefined)[];

/** Whether a code says why there is no value. */
export function isReason(code: number): boolean {
  return code < 0 && code >= LAST_REASON;
}

/** What a code that is no reason stands for. */
export function valueOf(ruleset: Ruleset, code: number): Value {
  if (code < 0) return parsed(ruleset.string(LAST_REASON - 1 - code)) as never;
  return code < 2 ? code === 1 : ruleset.string(code - 2);
}

/** The values of codes by key. */
export function recordOf({ ruleset, keys, codes }: { ruleset: Ruleset; keys: Keys; codes: Int32Array }): Record<string, Value> {
  const record: Record<string, Value> = codes.length < TABLE ? {} : ({ __proto__: null } as never);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number;
    const key = keys[at];
    if (key !== undefined && !isReason(code)) define(record, key, valueOf(ruleset, code));
  }
  return codes.length < TABLE ? record : Object.setPrototypeOf(record, Object.prototype);
}
