import { Payload } from "./payloads.js";
import { Reads } from "./reads.js";
import { compareBytes, decodeAscii, decodeText, interned } from "./texts.js";
import { Writer } from "./writer.js";

/*
 * What answers and packed users refer to, read from a compiled ruleset: `engine/src/ruleset/layout.rs`
 * says how it lies in bytes. The evaluator, which loads it first, has checked every reference in it.
 */
const WORD = 4;
const [FLAGS, ORDER, SLOTS, GROUP_TYPES, STRINGS, PAYLOADS, PROBLEMS, POOL, TEXTS] = [5, 7, 9, 11, 13, 15, 21, 23, 25];
const KEYED_FLAGS = 3;

const FLAG = 11 * WORD;
const FLAG_BITS = 2 * WORD;
const FLAG_CODE = 3 * WORD;
const FLAG_PAYLOADS = 7 * WORD;
const FLAG_SLOTS = 8 * WORD;
const FLAG_GROUP_TYPES = 9 * WORD;
const FIXED = 1 << 2;
/** With some value the flag has no answer, which the evaluator knows. */
const PAYLOAD_THROWS = 1 << 9;

const TEXT = 2 * WORD;
const PAYLOAD = 3 * WORD;
/** In the place of a list of slots: too many to list. Beside it, in the place of a payload: none. */
const NONE = 0xffff_ffff;

/** One flag, as far as it is needed outside the evaluator. */
export interface Flag {
  readonly id: number;
  readonly key: string;
  /** The code that every user gets; undefined where it depends on the user. */
  readonly fixed: number | undefined;
  /** What it reads, itself or through others; undefined: all there is. */
  readonly reads: Reads | undefined;
}

/** Where a table lies in bytes, and how many entries it has. */
interface Table {
  readonly at: number;
  readonly count: number;
}

/** The tables of a compiled ruleset. Nothing is decoded before it is asked for. */
export class Ruleset {
  /** How many flags can be asked. */
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #flags: number;
  readonly #pool: number;
  readonly #texts: number;
  readonly #found = new Map<string, Flag>();
  readonly #slots: (string | undefined)[] = [];
  readonly #groupTypes: (string | undefined)[] = [];
  readonly #strings: (string | undefined)[] = [];
  readonly #payloads: (Payload | undefined)[] = [];
  #keys: readonly string[] | undefined;
  #keysAreInterned = false;
  #allReads: Reads | undefined;

  /** Bytes that the evaluator has loaded, in which the ruleset begins at `start`. */
  constructor(bytes: Uint8Array, start: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
    this.#bytes = bytes.subarray(start);
    this.size = this.#word(KEYED_FLAGS * WORD);
    this.#flags = this.#table(FLAGS).at;
    this.#pool = this.#table(POOL).at;
    this.#texts = this.#table(TEXTS).at;
  }

  /** The keys of all flags, in the order of the definitions. */
  get keys(): readonly string[] {
    if (this.#keysAreInterned) return this.#keys as readonly string[];
    // A Worker or a Convex function that answers once pays for no more than it needs.
    this.#keysAreInterned = this.#keys !== undefined;
    return (this.#keys = this.#keys === undefined ? this.#readKeys() : allInterned(this.#keys));
  }

  /** The flag of a key. */
  find(key: string): Flag | undefined {
    return this.#found.get(key) ?? this.#search(key);
  }

  /** Everything that any flag reads. */
  get allReads(): Reads {
    return (this.#allReads ??= this.#reads(numbersTo(this.#table(SLOTS).count), numbersTo(this.#table(GROUP_TYPES).count)));
  }

  /** A name that answers give: of a variant; or the JSON of what a malformed definition gives. */
  string(index: number): string {
    return (this.#strings[index] ??= interned(this.#entry(STRINGS, index)));
  }

  /** The payload that a flag gives with the code of a value, if any. */
  payload(flag: number, code: number): Payload | undefined {
    const list = this.#word(this.#record(flag) + FLAG_PAYLOADS);
    if (list === 0) return undefined;
    // A text is found by its index, whatever it is the text of.
    const wanted = code < 0 ? -3 - code : code;
    let at = this.#pool + list * WORD;
    for (let left = this.#word(at); left > 0; left--, at += 2 * WORD) {
      if (this.#word(at + WORD) !== wanted) continue;
      const index = this.#word(at + 2 * WORD);
      return index === NONE ? undefined : (this.#payloads[index] ??= this.#readPayload(index));
    }
    return undefined;
  }

  /** What was wrong with the definitions, for people. */
  problems(): string[] {
    return numbersTo(this.#table(PROBLEMS).count).map((index) => this.#entry(PROBLEMS, index));
  }

  #search(key: string): Flag | undefined {
    if (typeof key !== "string") return undefined;
    const wanted = new Writer();
    wanted.text(key);
    const bytes = wanted.written();
    const order = this.#table(ORDER);
    let low = 0;
    for (let high = order.count; low < high; ) {
      const middle = (low + high) >>> 1;
      const id = this.#word(order.at + middle * WORD);
      const difference = compareBytes(this.#textBytes(this.#record(id)), bytes);
      if (difference === 0) return this.#remember(id, key);
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  #remember(id: number, key: string): Flag {
    const at = this.#record(id);
    const fixed = (this.#word(at + FLAG_BITS) & (FIXED | PAYLOAD_THROWS)) === FIXED;
    const slots = this.#word(at + FLAG_SLOTS);
    const flag: Flag = {
      id,
      key: interned(key),
      fixed: fixed ? this.#word(at + FLAG_CODE) | 0 : undefined,
      reads: slots === NONE ? undefined : this.#reads(this.#list(slots), this.#list(this.#word(at + FLAG_GROUP_TYPES))),
    };
    this.#found.set(flag.key, flag);
    return flag;
  }

  #reads(slots: readonly number[], groupTypes: readonly number[]): Reads {
    return new Reads(slots, this.#names(SLOTS, slots, this.#slots), groupTypes, this.#names(GROUP_TYPES, groupTypes, this.#groupTypes));
  }

  /** Texts of a table, those that `known` has not yet read from the bytes. */
  #names(table: number, indices: readonly number[], known: (string | undefined)[]): string[] {
    const names: string[] = [];
    for (const index of indices) names.push((known[index] ??= interned(this.#entry(table, index))));
    return names;
  }

  #readKeys(): readonly string[] {
    const { size } = this;
    if (size === 0) return [];
    // A copy, because words are read in one go only where they are aligned.
    const records = new Uint32Array(this.#bytes.slice(this.#flags, this.#flags + size * FLAG).buffer);
    const last = records.length - FLAG / WORD;
    const first = records[0] as number;
    const end = (records[last] as number) + (records[last + 1] as number);
    // The compiler puts the keys side by side: one call to the decoder instead of one a key.
    const text = decodeAscii(this.#bytes.subarray(this.#texts + first, this.#texts + end));
    const keys: string[] = [];
    for (let at = 0; at <= last; at += FLAG / WORD) {
      const start = (records[at] as number) - first;
      const stop = start + (records[at + 1] as number);
      const among = text !== undefined && start >= 0 && stop <= text.length;
      keys.push(among ? text.slice(start, stop) : this.#text(this.#flags + at * WORD));
    }
    return keys;
  }

  #readPayload(index: number): Payload {
    const at = this.#table(PAYLOADS).at + index * PAYLOAD;
    return new Payload(this.#text(at), this.#word(at + TEXT) !== 0);
  }

  #entry(table: number, index: number): string {
    return this.#text(this.#table(table).at + index * TEXT);
  }

  #text(reference: number): string {
    return decodeText(this.#textBytes(reference));
  }

  #textBytes(reference: number): Uint8Array {
    const start = this.#texts + this.#word(reference);
    return this.#bytes.subarray(start, start + this.#word(reference + WORD));
  }

  #record(flag: number): number {
    return this.#flags + flag * FLAG;
  }

  #list(index: number): number[] {
    let at = this.#pool + index * WORD;
    const list: number[] = [];
    for (let left = this.#word(at); left > 0; left--) list.push(this.#word((at += WORD)));
    return list;
  }

  #table(word: number): Table {
    return { at: this.#word(word * WORD), count: this.#word((word + 1) * WORD) };
  }

  #word(at: number): number {
    return this.#view.getUint32(at, true);
  }
}

/** The engine makes its own strings of an object's members; it puts those that are numbers first. */
function allInterned(keys: readonly string[]): readonly string[] {
  const members: Record<string, number> = Object.create(null);
  for (const key of keys) members[key] = 0;
  const own = Object.keys(members);
  return own.every((key, index) => key === keys[index]) ? own : keys;
}

function numbersTo(count: number): number[] {
  const numbers: number[] = [];
  for (let number = 0; number < count; number++) numbers.push(number);
  return numbers;
}
