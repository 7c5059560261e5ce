import { FlagpostError } from "./errors.js";
import { CHECKSUM, isSnapshot, MAGIC } from "./frame.js";

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

/** What is kept of bytes to know them again: a copy, for whoever brought them may write over them. */
export interface Kept {
  readonly length: number;
  /** Of a snapshot the checksum at its end: comparing all of it takes longer than loading it. Else all. */
  readonly bytes: Uint8Array;
}

export function kept(bytes: Uint8Array): Kept {
  const { length } = bytes;
  return { length, bytes: bytes.slice(isSnapshot(bytes) ? length - CHECKSUM : 0) };
}

/** Whether bytes are those that were kept. */
export function isKept({ length, bytes: own }: Kept, bytes: Uint8Array): boolean {
  if (bytes.length !== length) return false;
  if (own.length < length) return isSnapshot(bytes) && sameTail(own, bytes.subarray(-own.length), 0);
  const words = bytes.byteOffset % 4 === 0 ? length >> 2 : 0;
  return sameTail(own, bytes, words * 4) && (words === 0 || sameTail(wordsOf(own, words), wordsOf(bytes, words), 0));
}

/** Whether bytes that may have been written over still are those that were kept, as far as that is cheap to tell. */
export function isStillKept(own: Kept, bytes: Uint8Array): boolean {
  return own.bytes.length === own.length || isKept(own, bytes);
}

function wordsOf(bytes: Uint8Array, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}

/** Whether two of one length are alike from an element on. */
export function sameTail(a: Uint8Array | Uint32Array, b: Uint8Array | Uint32Array, start: number): boolean {
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
    if (input.startsWith(MAGIC)) {
      throw notLoadable("a snapshot read as text", "read it as an ArrayBuffer: text spoils its bytes");
    }
    return;
  }
  if (typeof input !== "object") throw notLoadable(`a ${typeof input}`);
  if (ArrayBuffer.isView(input) && input.byteLength > 0) return;
  try {
    assertNoMistake(input);
  } catch (error) {
    throw unreadable(error);
  }
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

/** What to throw for an error that came of reading an input: a proxy or a getter may throw. */
export function unreadable(error: unknown): FlagpostError {
  return error instanceof FlagpostError ? error : notLoadable(`an object that cannot be read (${String(error)})`);
}

/** What to throw for an input that nothing can be loaded from. */
export function notLoadable(what: string, fix = "pass a snapshot or PostHog's definitions"): FlagpostError {
  return new FlagpostError("invalid_input", `definitions expected, got ${what}: ${fix}`);
}
