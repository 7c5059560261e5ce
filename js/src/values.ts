import { FlagpostError } from "./errors.js";
import type { Writer } from "./writer.js";

/*
 * One value of a user, as the evaluator reads it: a tag and what follows it. A string is its length in
 * bytes as u32, then WTF-8.
 */
const UNDEFINED = 1;
const NULL = 2;
const FALSE = 3;
const TRUE = 4;
const NUMBER = 5; // f64, of a number that is whole, infinite or none
const STRING = 6; // string
const NUMBER_TEXT = 7; // f64, string String(number), of every other number
const ODD = 8; // of anything else a byte of these bits, then what the first three announce, in this order

const HAS_TEXT = 1; // string String(value), which otherwise throws
const HAS_CANONICAL = 2; // string: the canonical text, lower-cased, which posthog-node otherwise refuses to write
const HAS_TIME = 4; // f64: milliseconds of a Date
const IS_JSON = 8;
const IS_TRUE = 16;
const IS_SYMBOL = 32;

/** Values nested deeper, cycles among them, are no JSON. */
const MAX_DEPTH = 500;

/**
 * Values inside arrays and objects, all of a user's together, and bytes that a user may take. One
 * value shared by others counts as often as it is met: few of them make up endlessly many.
 */
export const MAX_VALUES = 4_000_000;
const MAX_BYTES = 80_000_000;

/** Thrown where a limit is passed; never leaves this file. */
const TOO_LARGE = Symbol("too large");

/** An id, as the text that is hashed. */
export function writeId(writer: Writer, name: string, id: unknown): void {
  // JavaScript joins no symbol to a text.
  const text = typeof id === "string" ? id : typeof id === "symbol" ? undefined : textOf(id);
  if (text === undefined) {
    const what = name === "distinctId" ? name : `key of the group ${JSON.stringify(name)}`;
    const message = `the user's ${what} cannot become a string: pass a string`;
    throw new FlagpostError("invalid_user", message);
  }
  if (writer.length + text.length > MAX_BYTES) throw tooLarge(name);
  writer.string(text);
}

export function writeValue(writer: Writer, name: string, value: unknown): void {
  switch (typeof value) {
    case "string":
      if (writer.length + value.length > MAX_BYTES) throw tooLarge(name);
      writer.byte(STRING);
      writer.string(value);
      if (writer.length > MAX_BYTES) throw tooLarge(name);
      return;
    case "number":
      writeNumber(writer, value);
      return;
    case "boolean":
      writer.byte(value ? TRUE : FALSE);
      return;
    case "undefined":
      writer.byte(UNDEFINED);
      return;
  }
  if (value === null) {
    writer.byte(NULL);
    return;
  }
  try {
    writeOdd(writer, value);
  } catch (error) {
    throw error === TOO_LARGE ? tooLarge(name) : error;
  }
}

function tooLarge(name: string): FlagpostError {
  const limits = `${MAX_VALUES} values and ${MAX_BYTES} bytes`;
  const message = `the user is too large at ${JSON.stringify(name)}: flags may read ${limits} of one user`;
  return new FlagpostError("invalid_user", message);
}

/** The text of a fraction or a huge number is JavaScript's to find; of others the evaluator knows it. */
function writeNumber(writer: Writer, value: number): void {
  const known = Number.isSafeInteger(value) || !Number.isFinite(value);
  writer.byte(known ? NUMBER : NUMBER_TEXT);
  writer.number(value);
  if (!known) writer.string(String(value));
}

/** What operators ask of a value that is no text, number or boolean. What throws when it is read is no JSON. */
function writeOdd(writer: Writer, value: unknown): void {
  const json = new Canonical(writer);
  const isJson = without(() => json.add(value, 0)) ?? false;
  const text = without(() => {
    // What was gone through is as large as it seems.
    if (!isJson && Array.isArray(value)) assertJoinable(writer, value);
    return String(value);
  });
  const time = without(() => (value instanceof Date ? Number(value.valueOf()) : undefined));
  const canonical = isJson && json.isWritten ? json.text.toLowerCase() : undefined;
  const isTrue = isJson && json.isTrue;
  writer.byte(ODD);
  writer.byte(
    (text === undefined ? 0 : HAS_TEXT) |
      (canonical === undefined ? 0 : HAS_CANONICAL) |
      (time === undefined ? 0 : HAS_TIME) |
      (isJson ? IS_JSON : 0) |
      (isTrue ? IS_TRUE : 0) |
      (typeof value === "symbol" ? IS_SYMBOL : 0),
  );
  for (const part of [text, canonical]) {
    if (part === undefined) continue;
    if (writer.length + part.length > MAX_BYTES) throw TOO_LARGE;
    writer.string(part);
    if (writer.length > MAX_BYTES) throw TOO_LARGE;
  }
  if (time !== undefined) writer.number(time);
}

/** What `make` gives; undefined where it throws. */
function without<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error === TOO_LARGE) throw error;
    return undefined;
  }
}

/** A value as posthog-node compares it: `exactMatchString`, `assertJsonRepresentable`, `isTruthyPropertyValue`. */
class Canonical {
  text = "";
  /** Characters that were gone through. */
  #length = 0;
  /** Whole numbers are JSON, but have no canonical text: JSON does not tell 1 from 1.0. */
  isWritten = true;
  /** Nothing but `true` and "true", whatever their case, in lists. */
  isTrue = true;
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /** Adds a value; false when it cannot stand in JSON. */
  add(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case "string":
        this.isTrue &&= /^true$/i.test(value);
        return this.#addText(value);
      case "number":
        this.isTrue = false;
        if (Number.isInteger(value)) this.isWritten = false;
        this.#write(String(value));
        return Number.isFinite(value);
      case "boolean":
        this.isTrue &&= value;
        this.#write(String(value));
        return true;
      case "object":
        if (Array.isArray(value)) return depth < MAX_DEPTH && this.#addList(value, depth);
        this.isTrue = false;
        if (value !== null) return depth < MAX_DEPTH && isPlain(value) && this.#addObject(value, depth);
        this.#write("null");
        return true;
      default:
        return false;
    }
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_BYTES) throw TOO_LARGE;
    if (this.isWritten) this.text += text;
  }

  /** A text with half of a surrogate pair is no JSON to posthog-node. */
  #addText(text: string): boolean {
    if (this.#length + text.length > MAX_BYTES) throw TOO_LARGE;
    if (/\p{Surrogate}/u.test(text)) return false;
    this.#write(this.isWritten ? JSON.stringify(text) : text);
    return true;
  }

  #addList(list: readonly unknown[], depth: number): boolean {
    // A proxy may give anything for a length, and something else each time.
    const length = Math.max(0, Math.trunc(list.length) || 0);
    take(this.#writer, length);
    this.#write("[");
    for (let index = 0; index < length; index++) {
      if (index > 0) this.#write(",");
      if (!this.add(index in list ? list[index] : null, depth + 1)) return false;
    }
    this.#write("]");
    return true;
  }

  #addObject(object: object, depth: number): boolean {
    const keys = Object.keys(object);
    take(this.#writer, keys.length);
    this.#write("{");
    for (const [index, key] of keys.sort(compareCodePoints).entries()) {
      if (index > 0) this.#write(",");
      if (!this.#addText(key)) return false;
      this.#write(":");
      if (!this.add((object as Record<string, unknown>)[key], depth + 1)) return false;
    }
    this.#write("}");
    return true;
  }
}

function take(writer: Writer, values: number): void {
  writer.room -= values;
  if (writer.room < 0) throw TOO_LARGE;
}

/** The order of texts that are well-formed: surrogates, which stand for what is beyond U+FFFF, come last. */
function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a !== b) return (isSurrogate(a) ? a + 0x1_0000 : a) - (isSurrogate(b) ? b + 0x1_0000 : b);
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

/** `String(value)`, or undefined where that throws. */
function textOf(value: unknown): string | undefined {
  try {
    return String(value);
  } catch {
    return undefined;
  }
}

/** Goes through a list as its `join` will: a list inside itself is passed over, a shared one is not. */
function assertJoinable(writer: Writer, list: readonly unknown[]): void {
  const open = new Set<unknown>([list]);
  const stack = [{ list, at: 0 }];
  for (let top = stack[0]; top !== undefined; top = stack[stack.length - 1]) {
    if (top.at >= top.list.length) {
      open.delete(top.list);
      stack.pop();
      continue;
    }
    take(writer, 1);
    const item = top.list[top.at++];
    if (Array.isArray(item) && !open.has(item)) {
      open.add(item);
      stack.push({ list: item, at: 0 });
    }
  }
}

/** Whether an object is one to posthog-node: others have a text, but no members. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
