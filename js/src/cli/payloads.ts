import { emptyShape, typeOf, widen } from "./shapes.js";
import { member, type Json } from "./snapshot.js";
import type { Values } from "./values.js";

/** The type of what the values of a flag carry, over all its definitions; `undefined` where they carry nothing. */
export function payloadTypeOf(flags: readonly Json[], values: Values): string {
  // Only the server can read them.
  if (flags.some((flag) => Boolean(member(flag, "has_encrypted_payloads")))) return "unknown";
  const shape = emptyShape();
  let found = false;
  for (const flag of flags) {
    const payloads = member(member(flag, "filters"), "payloads");
    for (const name of namesOf(payloads, values)) {
      const payload = parsedPayload(member(payloads, name));
      if (payload === undefined) continue;
      found = true;
      widen(shape, payload);
    }
  }
  return found ? typeOf(shape) : "undefined";
}

/** Under which names payloads are looked up: the value as text. */
function namesOf(payloads: Json, { canBeTrue, names }: Values): Iterable<string> {
  if (typeof payloads !== "object" || payloads === null) return [];
  if (names === undefined) return Object.keys(payloads);
  return new Set(canBeTrue ? ["true", ...names] : names);
}

/** As posthog-node reads it: JSON in a text, the text itself where that is no JSON, or any JSON. Undefined: none. */
function parsedPayload(raw: Json): Json {
  if (!raw) return undefined;
  if (typeof raw !== "string") return raw;
  try {
    return JSON.parse(raw) ?? undefined;
  } catch {
    return raw;
  }
}
