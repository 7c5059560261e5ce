import { FlagpostError } from "./errors.js";

let encoder: TextEncoder | undefined;

/** The bytes of a buffer or a view of one, without a copy; undefined for anything else. */
export function viewOf(input: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(input)) {
    return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  }
  // By name: a buffer may come from another realm, where instanceof fails.
  const name = Object.prototype.toString.call(input);
  if (name === "[object ArrayBuffer]" || name === "[object SharedArrayBuffer]") {
    return new Uint8Array(input as ArrayBuffer);
  }
  return undefined;
}

/** JSON text as UTF-8. */
export function encodeText(text: string): Uint8Array {
  encoder ??= new TextEncoder();
  // A lone surrogate has no UTF-8; as an escape JSON keeps it.
  const safe = text.replace(/\p{Surrogate}/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
  return encoder.encode(safe);
}

/** Definitions that were parsed already, as UTF-8 JSON. */
export function encodeObject(definitions: object): Uint8Array {
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

/** Equal contents. The end is looked at first: a snapshot's checksum stands there. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const aligned = a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0;
  const words = aligned ? a.length >> 2 : 0;
  return sameTail(a, b, words * 4) && (words === 0 || sameTail(wordsOf(a, words), wordsOf(b, words), 0));
}

function wordsOf(bytes: Uint8Array, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}

function sameTail(a: Uint8Array | Uint32Array, b: Uint8Array | Uint32Array, start: number): boolean {
  for (let index = a.length - 1; index >= start; index--) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}

/** Refuses what cannot be loaded, naming the likely mistake and its fix. */
export function assertLoadable(input: unknown): asserts input is string | object {
  if (input === undefined || input === null) {
    throw notLoadable(String(input), 'is anything stored yet? write it with "refresher run"');
  }
  if (typeof input === "string") {
    if (input === "") throw notLoadable("an empty string", "pass the snapshot's bytes or JSON text");
    if (input.startsWith("FLAGPOST")) {
      throw notLoadable("a snapshot read as text", "read it as an ArrayBuffer: text spoils its bytes");
    }
    return;
  }
  if (typeof input !== "object") throw notLoadable(`a ${typeof input}`);
  readable(() => assertNoMistake(input));
}

function assertNoMistake(input: object): void {
  const thing = input as { then?: unknown; getReader?: unknown; arrayBuffer?: unknown };
  if (typeof thing.then === "function") throw notLoadable("a Promise", "await it first");
  if (typeof thing.getReader === "function") {
    throw notLoadable("a ReadableStream", "await new Response(stream).arrayBuffer() first");
  }
  if (typeof thing.arrayBuffer === "function") {
    throw notLoadable(`a ${input.constructor?.name ?? "body"}`, "await its arrayBuffer() first");
  }
  const bytes = viewOf(input);
  if (bytes?.length === 0) {
    throw notLoadable("an empty buffer", "has it been transferred elsewhere, or was the read cut?");
  }
}

/** What reading a member of an input gives; a proxy or a getter may throw. */
export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FlagpostError) throw error;
    throw notLoadable(`an object that cannot be read (${String(error)})`);
  }
}

function notLoadable(what: string, fix = "pass a snapshot or PostHog's definitions"): FlagpostError {
  return new FlagpostError("invalid_input", `definitions expected, got ${what}: ${fix}`);
}
