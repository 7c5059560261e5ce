import type { Tables } from "evaluator-glue";

import type { User } from "./types.js";
import { FlagpostError } from "./errors.js";
import { Writer } from "./writer.js";

/*
 * Lays a user out as the bytes that `evaluator-wasm/src/packed.rs` reads. Little-endian; a string is
 * its length in bytes as u32, then WTF-8. In order:
 *
 *   distinct id   string
 *   person        for every slot: value
 *   groups        for every group type: 0 = the user is in no such group
 *                                       1, key string, 0 = in it, without a property map
 *                                       1, key string, 1, a value for every slot
 *
 * A value is a tag and what follows it:
 */
const ABSENT = 0;
const UNDEFINED = 1;
const NULL = 2;
const FALSE = 3;
const TRUE = 4;
const NUMBER = 5; // f64
const STRING = 6; // string
const ARRAY = 7; // u32 count, values
const OBJECT = 8; // u32 count, (key string, value) each
const DATE = 9; // f64 milliseconds, string String(date)
const EXOTIC = 10; // string String(value)
const EXOTIC_THROWS = 11; // String(value) throws
const SYMBOL = 12; // string String(value)
const STYLED = 13; // string String(value), then an ARRAY or OBJECT whose text is not the usual one
const STYLED_THROWS = 14; // the same where String(value) throws

/** Values nested deeper, cycles among them, travel as what `String(value)` gives. */
const MAX_DEPTH = 500;

/**
 * Values inside arrays and objects, all of a user's together, and bytes that a user may take. One
 * value shared by others counts as often as it is met: few of them make up endlessly many.
 */
const MAX_VALUES = 4_000_000;
const MAX_BYTES = 80_000_000;

/** Thrown where a limit is passed; never leaves this file. */
const TOO_LARGE = Symbol("too large");

/** What a user's layout depends on: a ruleset's slots and group types. */
export type Layout = Pick<Tables, "slots" | "groupTypes">;

let idle: Writer | undefined;

/** Values that the user being written may still hold. */
let room = MAX_VALUES;

/** Packs a user and hands the bytes to `use`; they are overwritten afterwards. */
export function packed<T>(layout: Layout, user: User, use: (bytes: Uint8Array) => T): T {
  // Getters and toString of a user's values may evaluate flags themselves: they get another writer.
  const writer = idle ?? new Writer();
  idle = undefined;
  const outer = room;
  room = MAX_VALUES;
  try {
    writer.reset();
    writeUser(writer, layout, user);
    return use(writer.bytes());
  } finally {
    idle = writer;
    room = outer;
  }
}

function writeUser(writer: Writer, { slots, groupTypes }: Layout, user: User): void {
  const { distinctId, groups, personProperties, groupProperties } = user;
  writeId(writer, "distinctId", distinctId);
  writeProperties(writer, slots, personProperties, "distinct_id", distinctId);
  for (const type of groupTypes) {
    if (!isIn(groups, type)) {
      writer.byte(0);
      continue;
    }
    const key: unknown = groups[type];
    writer.byte(1);
    writeId(writer, type, key);
    // posthog-node gives properties to the groups that it can enumerate.
    if (isMember(groups, type)) {
      writer.byte(1);
      writeProperties(writer, slots, groupProperties?.[type], "$group_key", key);
    } else {
      writer.byte(0);
    }
  }
}

/**
 * The slots of one property map: its own enumerable members, as posthog-node copies them, and `idKey`
 * unless it is among them. An id that is no string keeps its type as a property.
 */
function writeProperties(
  writer: Writer,
  slots: readonly string[],
  properties: Record<string, unknown> | null | undefined,
  idKey: string,
  id: unknown,
): void {
  for (const slot of slots) {
    if (isMember(properties, slot)) writeValue(writer, slot, properties[slot]);
    else if (slot === idKey) writeValue(writer, slot, id);
    else writer.byte(ABSENT);
  }
}

function writeId(writer: Writer, name: string, id: unknown): void {
  // Ids are hashed, and JavaScript joins no symbol to a text.
  const text = typeof id === "symbol" ? undefined : textOf(id);
  if (text === undefined) {
    const message = `the key of the user's group ${JSON.stringify(name)} cannot become a string: pass a string`;
    throw new FlagpostError("invalid_user", message);
  }
  if (writer.length + text.length > MAX_BYTES) throw tooLarge(name);
  writer.string(text);
}

/** A value that cannot be read to its end (too deep, a getter that throws) travels as its text. */
function writeValue(writer: Writer, name: string, value: unknown): void {
  const start = writer.length;
  const before = room;
  try {
    if (writeNested(writer, value, 0)) return;
  } catch (error) {
    if (error === TOO_LARGE) throw tooLarge(name);
  }
  writer.length = start;
  room = before;
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
  room -= values;
  if (room < 0 || writer.length > MAX_BYTES) throw TOO_LARGE;
}

function writeText(writer: Writer, text: string): void {
  if (writer.length + text.length > MAX_BYTES) throw TOO_LARGE;
  writer.string(text);
}

/** Returns false when the value is nested too deep to be written. */
function writeNested(writer: Writer, value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      writer.byte(STRING);
      writeText(writer, value);
      return true;
    case "number":
      writer.byte(NUMBER);
      writer.number(value);
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

type Properties = Record<string, unknown>;

/** Whether `{ ...map }` has the member. */
function isMember(map: Properties | null | undefined, key: string): map is Properties {
  return map !== undefined && map !== null && Object.prototype.propertyIsEnumerable.call(map, key);
}

/** `key in map`, but for what every object inherits. */
function isIn(map: Properties | null | undefined, key: string): map is Properties {
  if (map === undefined || map === null) return false;
  return Object.hasOwn(map, key) || (key in map && !(key in Object.prototype));
}
