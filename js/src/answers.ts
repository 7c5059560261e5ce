import type { Tables } from "evaluator-glue";

import type { Answer, Answers, Reason } from "./types.js";

/*
 * The evaluator answers with two numbers per flag:
 *   value    0 false, 1 true, 2 + n the text tables.strings[n], -1 to -4 a reason,
 *            -5 - n what strings[n] is the JSON of: what a malformed definition gives, as it does in
 *            posthog-node
 *   payload  index into tables.payloads, or -1
 */
const REASONS: readonly Reason[] = [
  "experience_continuity",
  "unsupported_definition",
  "unresolved_dependency",
  "missing_context",
];

/** All answers, for the flags of these ids or, without ids, for every flag in order. */
export function answersOf(tables: Tables, codes: Int32Array, ids?: Uint32Array): Answers {
  const answers: Answers = { featureFlags: {}, featureFlagPayloads: {}, unresolved: {} };
  for (let at = 0; at < codes.length; at += 2) {
    const key = tables.keys[ids?.[at / 2] ?? at / 2] as string;
    const value = codes[at] as number;
    const reason = REASONS[-1 - value];
    if (reason !== undefined) {
      define(answers.unresolved, key, reason);
      continue;
    }
    define(answers.featureFlags, key, valueOf(tables, value));
    const payload = tables.payloads[codes[at + 1] as number];
    if (payload?.truthy) define(answers.featureFlagPayloads, key, JSON.parse(payload.json));
  }
  return answers;
}

/** The answer for one flag. Unlike in `Answers`, a falsy payload is kept. */
export function answerOf(tables: Tables, codes: Int32Array): Answer {
  const value = codes[0] as number;
  const reason = REASONS[-1 - value];
  if (reason !== undefined) return { unresolved: reason };
  const payload = tables.payloads[codes[1] as number];
  const answer = { value: valueOf(tables, value) };
  return payload === undefined ? answer : { ...answer, payload: JSON.parse(payload.json) };
}

function valueOf(tables: Tables, code: number): boolean | string {
  if (code < 0) return JSON.parse(tables.strings[-5 - code] as string) as never;
  return code < 2 ? code === 1 : (tables.strings[code - 2] as string);
}

/** Assignment that also works for a flag named `__proto__`. */
function define<T>(record: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    record[key] = value;
  }
}
