import type { Reads } from "./reads.js";
import type { Flag } from "./ruleset.js";
import type { User } from "./types.js";
import { MAX_VALUES, writeId, writeValue } from "./values.js";
import { Writer } from "./writer.js";

/*
 * Lays a request out as the evaluator reads it. Little-endian. Of several flags it begins with
 *
 *   flags         u32 count, or ALL_FLAGS; then their numbers, u32 each
 *
 * and goes on, as that of one flag does, with the user:
 *
 *   distinct id   string
 *   person        u32 count, then (u32 slot, value) for each property that is there
 *   groups        u32 count, then for each group the user is in:
 *                 u32 group type, key string, u32 count or NO_PROPERTIES, (u32 slot, value) each
 *
 * Only what the asked flags read is looked at. `values.ts` writes strings and values.
 */
const ALL_FLAGS = 0xffff_ffff;
const NO_PROPERTIES = 0xffff_ffff;

/** From so many names on, going through a user's properties beats asking for each name. */
const MANY = 5;

let idle: Writer | undefined;

/** A writer to pack one request with; `giveBack` it. */
export function borrowWriter(): Writer {
  // Getters and toString of a user's values may evaluate flags themselves: they get another writer.
  const writer = idle ?? new Writer();
  idle = undefined;
  writer.reset();
  writer.room = MAX_VALUES;
  return writer;
}

/** Ends what `borrowWriter` began. Nothing is lost where that is left out because of an error. */
export function giveBack(writer: Writer): void {
  idle = writer;
}

/** The flags of a request: some, or all there are. */
export function writeFlags(writer: Writer, flags: readonly Flag[] | undefined): void {
  writer.count(flags?.length ?? ALL_FLAGS);
  if (flags === undefined) return;
  for (const flag of flags) writer.count(flag.id);
}

/** The user of a request, as far as flags read it. */
export function writeUser(writer: Writer, reads: Reads, user: User): void {
  const { distinctId, groups, personProperties, groupProperties } = user;
  writeId(writer, "distinctId", distinctId);
  writeProperties(writer, reads, personProperties, reads.distinctId, distinctId);
  const at = writer.length;
  let count = 0;
  writer.count(0);
  const { groupTypes, groupNames } = reads;
  for (let index = 0; index < groupTypes.length; index++) {
    const type = groupNames[index] as string;
    if (!isIn(groups, type)) continue;
    count++;
    writer.count(groupTypes[index] as number);
    const key: unknown = groups[type];
    writeId(writer, type, key);
    // posthog-node gives properties to the groups that it can enumerate.
    if (isMember(groups, type)) writeProperties(writer, reads, groupProperties?.[type], reads.groupKey, key);
    else writer.count(NO_PROPERTIES);
  }
  if (count > 0) writer.correct(at, count);
}

/**
 * One property map: its own enumerable members, as posthog-node copies them, and the id unless its
 * slot is among them. An id that is no string keeps its type as a property.
 */
function writeProperties(
  writer: Writer,
  reads: Reads,
  map: Properties | null | undefined,
  idSlot: number | undefined,
  id: unknown,
): void {
  const { slots, names } = reads;
  const at = writer.length;
  writer.count(0);
  if (names.length === 0) return;
  let count = 0;
  if (map === undefined || map === null) {
    // Nothing but the id.
  } else if (names.length >= MANY && isRecord(map)) {
    for (const name in map) {
      const slot = reads.slotOf(name);
      if (slot === undefined || !Object.hasOwn(map, name)) continue;
      count++;
      if (slot === idSlot) idSlot = undefined;
      writer.count(slot);
      writeValue(writer, name, map[name]);
    }
  } else {
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      if (!isEnumerable.call(map, name)) continue;
      const slot = slots[index] as number;
      count++;
      if (slot === idSlot) idSlot = undefined;
      writer.count(slot);
      writeValue(writer, name, map[name]);
    }
  }
  if (idSlot !== undefined) {
    count++;
    writer.count(idSlot);
    writeValue(writer, reads.distinctId === idSlot ? "distinct_id" : "$group_key", id);
  }
  writer.correct(at, count);
}

type Properties = Record<string, unknown>;

const isEnumerable = Object.prototype.propertyIsEnumerable;

/** Whether going through an object's members costs no more than making it: a list may have millions for nothing. */
function isRecord(map: object): boolean {
  if (typeof map !== "object" || Array.isArray(map)) return false;
  const prototype: unknown = Object.getPrototypeOf(map);
  return prototype === Object.prototype || prototype === null;
}

/** Whether `{ ...map }` has the member. */
function isMember(map: Properties | null | undefined, name: string): map is Properties {
  return map !== undefined && map !== null && isEnumerable.call(map, name);
}

/** `name in map`, but for what every object inherits. */
function isIn(map: Properties | null | undefined, name: string): map is Properties {
  if (map === undefined || map === null) return false;
  return Object.hasOwn(map, name) || (name in map && !(name in Object.prototype));
}
