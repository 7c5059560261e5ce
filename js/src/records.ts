import { parsed } from "./errors.js";
import type { Ruleset } from "./ruleset.js";

/*
 * The evaluator gives a code per flag: 0 false, 1 true, 2 + n the text strings[n], -1 to -4 a reason,
 * -5 - n what strings[n] is the JSON of: what a malformed definition gives, as it does in posthog-node.
 */
const LAST_REASON = -4;

/** From so many members on, an object is made as a table from the start instead of becoming one on the way. */
const TABLE = 64;

/** More members than this V8 does not keep in fixed places. */
const MOST = 1000;

/** After so many objects made member by member, the next ones are copies. */
const PATIENCE = 4;

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

/** The values of codes by key, made member by member. */
export function recordOf(ruleset: Ruleset, keys: Keys, codes: Int32Array): Record<string, Value> {
  const record: Record<string, Value> = codes.length < TABLE ? {} : ({ __proto__: null } as never);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number;
    const key = keys[at];
    if (key !== undefined && !isReason(code)) define(record, key, valueOf(ruleset, code));
  }
  return codes.length < TABLE ? record : Object.setPrototypeOf(record, Object.prototype);
}

/** Assignment that also works for a flag named `__proto__`. */
export function define<T>(record: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    record[key] = value;
  }
}

/**
 * Makes the values of one list of flags, again and again. V8 copies an object whose members are in
 * fixed places as one piece of memory, so that only what differs from user to user is written.
 */
export class Values {
  readonly #ruleset: Ruleset;
  readonly #keys: Keys;
  #sample: { codes: Int32Array; record: Record<string, Value> } | undefined;
  #made = 0;
  #patience = PATIENCE;

  constructor(ruleset: Ruleset, keys: Keys) {
    this.#ruleset = ruleset;
    this.#keys = keys;
  }

  /** The values of codes, a fresh object each time. */
  of(codes: Int32Array): Record<string, Value> {
    const copy = this.#copy(codes);
    if (copy !== undefined) return copy;
    const record = recordOf(this.#ruleset, this.#keys, codes);
    if (++this.#made === this.#patience && codes.length <= MOST) {
      this.#sample = { codes, record: settled({ ...record }) };
      // Users who lack properties have other flags without a value: don't follow each of them.
      this.#made = 0;
      this.#patience *= 2;
    }
    return record;
  }

  /** Undefined when the sample has other members. */
  #copy(codes: Int32Array): Record<string, Value> | undefined {
    const sample = this.#sample;
    if (sample === undefined) return undefined;
    const before = sample.codes;
    const record = { ...sample.record };
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at] as number;
      const old = before[at] as number;
      // What is JSON may be an object, which no two answers share.
      if (code === old && code >= LAST_REASON) continue;
      const key = this.#keys[at];
      if (key === undefined) continue;
      if (isReason(code) !== isReason(old)) return undefined;
      if (!isReason(code)) define(record, key, valueOf(this.#ruleset, code));
    }
    return record;
  }
}

/** The same object, its members in fixed places: V8 gives them to what is a prototype that is looked at. */
function settled<T extends object>(record: T): T {
  for (let round = 0; round < 12; round++) void (Object.create(record) as { member?: unknown }).member;
  return { ...record };
}
