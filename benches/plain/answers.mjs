/** Codes of flags as values, payloads and reasons: each is looked up or made when somebody reads it. */
import { REASONS } from "./codes.mjs";

/** A fresh payload, or undefined. */
function payloadOf(flag, code) {
  if (code === 0 || flag.payloads === null) return undefined;
  const payload = flag.payloads[flag.values[code]];
  if (!payload) return undefined;
  if (typeof payload !== "string") return payload;
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}

/** The answer for one flag, in the shape of flagpost's. */
export function answerOf(flag, code) {
  if (code < 0) return { unresolved: REASONS[-code] };
  const value = flag.values[code];
  const payload = payloadOf(flag, code);
  return payload === undefined || payload === null ? { value } : { value, payload };
}

export class Answers {
  #flags;
  #codes;
  #compiler;

  constructor(flags, codes, compiler) {
    this.#flags = flags;
    this.#codes = codes;
    this.#compiler = compiler;
  }

  /** The value of one of all flags; undefined if it is unresolved. */
  value(key) {
    const flag = this.#compiler.flag(key);
    return flag?.values[this.#codes[flag.index]];
  }

  /** Plain objects of everything, in the shape of flagpost's. */
  toObjects() {
    const featureFlags = {};
    const featureFlagPayloads = {};
    const unresolved = {};
    for (let index = 0; index < this.#flags.length; index++) {
      const flag = this.#flags[index];
      const code = this.#codes[index];
      if (code < 0) {
        unresolved[flag.key] = REASONS[-code];
        continue;
      }
      featureFlags[flag.key] = flag.values[code];
      const payload = payloadOf(flag, code);
      if (payload) featureFlagPayloads[flag.key] = payload;
    }
    return { featureFlags, featureFlagPayloads, unresolved };
  }
}
