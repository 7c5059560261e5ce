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
const ARRAY = 7; // u32 count, values
const OBJECT = 8; // u32 count, (key string, value) each
const DATE = 9; // f64 milliseconds, string String(date)
const EXOTIC = 10; // string String(value)
const EXOTIC_THROWS = 11; // String(value) throws
const SYMBOL = 12; // string String(value)
const STYLED = 13; // string String(value), then an ARRAY or OBJECT whose text is not the usual one
const STYLED_THROWS = 14; // the same where String(value) throws
const NUMBER_TEXT = 15; // f64, string String(number), of every other number

/** Values nested deeper, cycles among them, travel as what `String(value)` gives. */
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
    const message = `the key of the user's group ${JSON.stringify(name)} cannot become a string: pass a string`;
    throw new FlagpostError("invalid_user", message);
  }
  if (writer.length + text.length > MAX_BYTES) throw tooLarge(name);
  writer.string(text);
}

/** A value that cannot be read to its end (too deep, a getter that throws) travels as its text. */
export function writeValue(writer: Writer, name: string, value: unknown): void {
  // What most values are, without a thing that the rest needs.
  switch (typeof value) {
    case "string":
      if (writer.length + value.length > MAX_BYTES) throw tooLarge(name);
      writer.byte(STRING);
      writer.string(value);
      return;
    case "number":
      writeNumber(writer, value);
      return;
    case "boolean":
      writer.byte(value ? TRUE : FALSE);
      return;
  }
  writeAny(writer, name, value);
}

function writeAny(writer: Writer, name: string, value: unknown): void {
  const start = writer.length;
  const before = writer.room;
  try {
    if (writeNested(writer, value, 0)) return;
  } catch (error) {
    if (error === TOO_LARGE) throw tooLarge(name);
  }
  writer.length = start;
  writer.room = before;
  try {
    writeOwnText(writer, value, EXOTIC, EXOTIC_THROWS);
  } catch (error) {
    throw error === TOO_LARGE ? tooLarge(name) : error;
  }
}

function tooLarge(name: string): FlagpostError {
  const limits = `${MAX_VALUES} values and ${MAX_BYTES} bytes`;
  const message = `the user is too large at ${JSON.stringify(name)}: flags may read ${limits} of one user`;
  return new FlagpostError("invalid_user", message);
}

function take(writer: Writer, values: number): void {
  writer.room -= values;
  if (writer.room < 0 || writer.length > MAX_BYTES) throw TOO_LARGE;
}

function writeText(writer: Writer, text: string): void {
  if (writer.length + text.length > MAX_BYTES) throw TOO_LARGE;
  writer.string(text);
}

/** The text of a fraction or a huge number is JavaScript's to find; of others the evaluator knows it. */
function writeNumber(writer: Writer, value: number): void {
  const known = Number.isSafeInteger(value) || !Number.isFinite(value);
  writer.byte(known ? NUMBER : NUMBER_TEXT);
  writer.number(value);
  if (!known) writer.string(String(value));
}

/** Returns false when the value is nested too deep to be written. */
function writeNested(writer: Writer, value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      writer.byte(STRING);
      writeText(writer, value);
      return true;
    case "number":
      writeNumber(writer, value);
      return true;
    case "boolean":
      writer.byte(value ? TRUE : FALSE);
      return true;
    case "undefined":
      writer.byte(UNDEFINED);
      return true;
    case "symbol":
      writer.byte(SYMBOL);
      writer.string(String(value));
      return true;
    case "object":
      if (value === null) {
        writer.byte(NULL);
        return true;
      }
      if (depth >= MAX_DEPTH) return false;
      if (Array.isArray(value)) return writeArray(writer, value, depth);
      if (isPlain(value)) return writeObject(writer, value, depth);
      if (value instanceof Date) return writeDate(writer, value);
  }
  writeOwnText(writer, value, EXOTIC, EXOTIC_THROWS);
  return true;
}

function writeArray(writer: Writer, items: readonly unknown[], depth: number): boolean {
  if (!isJoined(items)) writeOwnText(writer, items, STYLED, STYLED_THROWS);
  // A proxy may give anything for a length, and something else each time.
  const length = Math.max(0, Math.trunc(items.length) || 0);
  take(writer, length);
  writer.byte(ARRAY);
  writer.count(length);
  for (let index = 0; index < length; index++) {
    if (!(index in items)) writer.byte(NULL);
    else if (!writeNested(writer, items[index], depth + 1)) return false;
  }
  return true;
}

function writeObject(writer: Writer, value: object, depth: number): boolean {
  // The evaluator knows by itself that a member called toString leaves JSON's objects without a text.
  const usual = textOf(value) === "[object Object]" && !Object.hasOwn(value, "toString");
  if (!usual) writeOwnText(writer, value, STYLED, STYLED_THROWS);
  const keys = Object.keys(value);
  take(writer, keys.length);
  writer.byte(OBJECT);
  writer.count(keys.length);
  for (const key of keys) {
    writeText(writer, key);
    if (!writeNested(writer, (value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

function writeDate(writer: Writer, date: Date): boolean {
  writer.byte(DATE);
  writer.number(date.valueOf());
  writer.string(String(date));
  return true;
}

/** A tag with `String(value)`, or the other tag where that throws. */
function writeOwnText(writer: Writer, value: unknown, tag: number, throwing: number): void {
  let text: string | undefined;
  try {
    if (Array.isArray(value)) assertJoinable(writer, value);
    text = textOf(value);
  } catch (error) {
    if (error === TOO_LARGE) throw error;
  }
  writer.byte(text === undefined ? throwing : tag);
  if (text !== undefined) writeText(writer, text);
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

/** Whether a list becomes a string as lists do. */
function isJoined(list: readonly unknown[]): boolean {
  const { toString, join, [Symbol.toPrimitive]: own } = list as readonly unknown[] & { [Symbol.toPrimitive]?: unknown };
  return toString === Array.prototype.toString && join === Array.prototype.join && (own === undefined || own === null);
}
