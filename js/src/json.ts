import { notLoadable } from "./bytes.js";
import { FlagpostError } from "./errors.js";

let encoder: TextEncoder | undefined;

/** Definitions as JSON text, or parsed already, as UTF-8 JSON. */
export function encodeDefinitions(definitions: string | object): Uint8Array {
  return typeof definitions === "string" ? encodeText(definitions) : encodeObject(definitions);
}

function encodeText(text: string): Uint8Array {
  encoder ??= new TextEncoder();
  // A lone surrogate has no UTF-8; as an escape JSON keeps it.
  const safe = text.replace(/\p{Surrogate}/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
  return encoder.encode(safe);
}

function encodeObject(definitions: object): Uint8Array {
  let text: string | undefined;
  try {
    text = stringify(definitions);
  } catch (error) {
    throw new FlagpostError("invalid_definitions", `the definitions are no JSON object: ${String(error)}`, {
      cause: error,
    });
  }
  if (text === undefined) throw notLoadable("a function");
  return encodeText(text);
}

/**
 * `JSON.stringify`, but for infinite numbers, which it writes as null: `JSON.parse` makes them of
 * numbers beyond a double's range, so they are written as such numbers.
 */
function stringify(value: object): string | undefined {
  const text = JSON.stringify(value) as string | undefined;
  if (!text?.includes("null")) return text;
  // Longer than any word of its kind in the text.
  const words = text.match(/infinity\**/g) ?? [];
  const mark = "infinity".padEnd(words.reduce((longest, { length }) => Math.max(longest, length), 7) + 1, "*");
  let found = false;
  const marked = JSON.stringify(value, (_, member: unknown) => {
    if (member !== Infinity && member !== -Infinity) return member;
    found = true;
    return member > 0 ? mark : `-${mark}`;
  });
  return found ? marked.replaceAll(`"${mark}"`, "1e999").replaceAll(`"-${mark}"`, "-1e999") : text;
}
