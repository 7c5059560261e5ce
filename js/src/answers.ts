import { define } from "./payloads.js";
import { isReason, recordOf, valueOf } from "./records.js";
import type { Flag, Ruleset } from "./ruleset.js";
import type { Answer, Answers, Reason } from "./types.js";

/** In the order of their codes: see `records.ts`. */
const REASONS: readonly Reason[] = [
  "experience_continuity",
  "unsupported_definition",
  "unresolved_dependency",
  "missing_context",
];

/** Up to so many flags, making the answers costs less than the accessors that would put it off. */
const FEW = 16;

/** In the place of what nobody has read yet. */
const UNREAD = {};

/** Under which Node and others look for how to print an object. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Codes, with what they are the answers to. */
export interface Coded {
  readonly ruleset: Ruleset;
  readonly codes: Int32Array;
  /** The keys that the codes belong to; undefined where a flag was left out. */
  readonly keys: readonly (string | undefined)[];
  /** The flags that the codes belong to; undefined: all flags, in order. */
  readonly flags: readonly Flag[] | undefined;
}

/** The answers of codes; of more than a few, each of the three objects is made when it is first read. */
export function answersOf(coded: Coded): Answers {
  if (coded.codes.length <= FEW) {
    return { featureFlags: recordOf(coded), featureFlagPayloads: payloadsOf(coded), unresolved: unresolvedOf(coded) };
  }
  let featureFlags: Answers["featureFlags"] = UNREAD;
  let featureFlagPayloads: Answers["featureFlagPayloads"] = UNREAD;
  let unresolved: Answers["unresolved"] = UNREAD;
  // Each reads its own variable, not `this`, which is something else where answers are wrapped.
  const answers: Answers = {
    get featureFlags() {
      return featureFlags === UNREAD ? (featureFlags = recordOf(coded)) : featureFlags;
    },
    set featureFlags(value) {
      featureFlags = value;
    },
    get featureFlagPayloads() {
      return featureFlagPayloads === UNREAD ? (featureFlagPayloads = payloadsOf(coded)) : featureFlagPayloads;
    },
    set featureFlagPayloads(value) {
      featureFlagPayloads = value;
    },
    get unresolved() {
      return unresolved === UNREAD ? (unresolved = unresolvedOf(coded)) : unresolved;
    },
    set unresolved(value) {
      unresolved = value;
    },
  };
  return Object.defineProperty(answers, INSPECT, { value: plain });
}

/** The answer of one flag's code. Unlike in `Answers`, a falsy payload is kept. */
export function answerOf(ruleset: Ruleset, flag: Flag, code: number): Answer {
  if (isReason(code)) return { unresolved: REASONS[-1 - code] as Reason };
  const value = valueOf(ruleset, code);
  const payload = ruleset.payload(flag.id, code);
  return payload === undefined ? { value } : { value, payload: payload.read() };
}

function unresolvedOf({ codes, keys }: Coded): Answers["unresolved"] {
  const record: Answers["unresolved"] = {};
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number;
    if (!isReason(code)) continue;
    const key = keys[at];
    if (key !== undefined) define(record, key, REASONS[-1 - code] as Reason);
  }
  return record;
}

function payloadsOf({ ruleset, codes, keys, flags }: Coded): Answers["featureFlagPayloads"] {
  const record: Answers["featureFlagPayloads"] = {};
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number;
    const key = keys[at];
    if (key === undefined || isReason(code)) continue;
    const payload = ruleset.payload(flags === undefined ? at : (flags[at] as Flag).id, code);
    if (payload?.truthy) define(record, key, payload.read());
  }
  return record;
}

/** Prints answers as what they are, not as accessors. */
function plain(this: Answers): Answers {
  return { ...this };
}
