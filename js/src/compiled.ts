import { answerOf, answersOf } from "./answers.js";
import type { Compiler } from "./compiler.js";
import { damaged, FlagpostError } from "./errors.js";
import { frameOf, frontFrameOf, isSnapshot, type Frame } from "./frame.js";
import { broken, instance, isAlive, release, type Handle } from "./instance.js";
import { borrowWriter, giveBack, writeFlags, writeUser } from "./pack.js";
import { union, type Reads } from "./reads.js";
import { Ruleset, type Flag } from "./ruleset.js";
import { decodeText } from "./texts.js";
import type { Answer, Answers, User } from "./types.js";
import { KEEP_BYTES, type Writer } from "./writer.js";

/** Of so many asked flags it is not looked up what each of them reads. */
const MANY = 32;

/** Bytes that most requests fit into. */
const ROOM = 1024;

/** What the evaluator gives where it cannot read the request, which would be a fault of this package. */
const MALFORMED = -0x8000_0000;

/** What the evaluator says of bytes that are no ruleset; else that it does not know their version. */
const FAULT_DAMAGED = 1;

let compiler: Compiler | undefined;

/** An entry that has the compiler hands it over here. */
export function provideCompiler(provided: Compiler): void {
  compiler = provided;
}

/** What was retired and is used again, by requests that began before: of these only the last stays in the module. */
let returned: Compiled | undefined;

let isKeeping = false;

/** From now on the definitions' JSON is kept beside what is compiled, for those who look up more than answers. */
export function keepDefinitions(): void {
  isKeeping = true;
}

/** Definitions as text or object, as the bytes that a ruleset is loaded from. */
export function encoded(definitions: string | object): Uint8Array {
  if (compiler === undefined) throw needsCompiler("these are definitions, not a snapshot");
  return compiler.encode(definitions);
}

/** A compiled ruleset: bytes that end with the digest of all before it, where it begins, and for whom. */
interface Code {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly evaluationContexts: string[] | undefined;
}

/** A ruleset in an instance, with the address of room for one request of so many bytes. */
interface Resident extends Handle {
  address: number;
  capacity: number;
}

interface Loaded {
  readonly code: Code;
  readonly ruleset: Ruleset;
  readonly handle: Resident;
}

/**
 * A ruleset in the evaluator module, with the bytes it came from: it can be parked to give back the
 * module's memory and comes back by itself, after a trap as well.
 */
export class Compiled {
  /** How many `Definitions` hold it. */
  holders = 0;
  /** Whether those that hold it were replaced by others. */
  isRetired = false;
  /** A snapshot's header as JSON text; null for plain definitions. */
  readonly header: string | null;
  readonly #code: Code;
  readonly #ruleset: Ruleset;
  /** Numbers of the flags outside the evaluation contexts. */
  readonly #leftOut: ReadonlySet<number>;
  #keys: readonly (string | undefined)[] | undefined;
  /** The definitions' JSON, until it is taken. */
  #json: Uint8Array | undefined;
  #handle: Resident | undefined;
  /** The flags that were asked last, and what they read together. */
  #lastAsked: { flags: readonly Flag[]; reads: Reads } | undefined;

  /** Throws `FlagpostError` when the bytes cannot be used. */
  constructor(source: Uint8Array, evaluationContexts: readonly string[] | undefined) {
    const bytes = unshared(source);
    const frame = isSnapshot(bytes) ? frontFrameOf(bytes) : undefined;
    const contexts = evaluationContexts?.slice();
    const { code, ruleset, handle } = loadCompiled(bytes, frame, contexts) ?? loadDefinitions(bytes, contexts);
    this.#code = code;
    this.#ruleset = ruleset;
    this.#hold(handle);
    this.#leftOut = code.evaluationContexts === undefined ? new Set() : leftOut(handle);
    // A copy: whoever brought the bytes may write over them.
    if (isKeeping && frame === undefined) this.#json = bytes.slice();
    if (isKeeping && frame?.defs !== undefined) this.#json = bytes.slice(frame.defs.start, frame.defs.end);
    this.header = frame?.head === undefined ? null : decodeText(bytes.subarray(frame.head.start, frame.head.end));
  }

  /** Keys of all flags, in the order of the definitions. */
  flagKeys(): readonly string[] {
    return this.#leftOut.size === 0 ? this.#ruleset.keys : this.#allKeys().filter((key) => key !== undefined);
  }

  /** What was wrong with the definitions, for people. */
  problems(): readonly string[] {
    return this.#ruleset.problems();
  }

  /** Whether there is a flag of that key. */
  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** The answer of one flag; undefined when there is none of that key. */
  answer(key: string, user: User, nowMs: number): Answer | undefined {
    const flag = this.#find(key);
    if (flag === undefined) return undefined;
    return answerOf(this.#ruleset, flag, flag.fixed ?? this.#codeOf(flag, user, nowMs));
  }

  /** The answers of all flags, or of some; keys of none are ignored. */
  answers(keys: readonly string[] | undefined, user: User, nowMs: number): Answers {
    const ruleset = this.#ruleset;
    if (keys === undefined) {
      const codes = this.#codesOf(undefined, ruleset.allReads, user, nowMs);
      return answersOf({ ruleset, codes, keys: this.#allKeys(), flags: undefined });
    }
    const flags: Flag[] = [];
    for (const key of keys) {
      const flag = this.#find(key);
      if (flag !== undefined) flags.push(flag);
    }
    const codes = flags.length === 0 ? new Int32Array() : this.#codesOf(flags, this.#readsOf(flags), user, nowMs);
    return answersOf({ ruleset, codes, keys: flags.map(({ key }) => key), flags });
  }

  /** The definitions' JSON, given out once; undefined unless they were loaded after `keepDefinitions`, and whole. */
  takeJson(): string | undefined {
    const json = this.#json;
    this.#json = undefined;
    return json && decodeText(json);
  }

  /** Gives back the module's memory until the next use. */
  park(): void {
    if (this.#handle === undefined) return;
    forgotten()?.unregister(this);
    release(this.#handle);
    this.#handle = undefined;
  }

  #hold(handle: Resident): Resident {
    this.#handle = handle;
    forgotten()?.register(this, handle, this);
    return handle;
  }

  #resident(): Resident {
    const held = this.#handle;
    if (held !== undefined && isAlive(held)) return held;
    forgotten()?.unregister(this);
    const handle = load(this.#code);
    if (typeof handle === "number") throw damagedRuleset();
    if (this.isRetired && returned !== this) {
      // Nobody retires it again, and not every runtime tells when it is forgotten.
      returned?.park();
      returned = this;
    }
    return this.#hold(handle);
  }

  #find(key: string): Flag | undefined {
    const flag = this.#ruleset.find(key);
    return flag !== undefined && this.#leftOut.size > 0 && this.#leftOut.has(flag.id) ? undefined : flag;
  }

  #allKeys(): readonly (string | undefined)[] {
    if (this.#leftOut.size === 0) return this.#ruleset.keys;
    return (this.#keys ??= this.#ruleset.keys.map((key, id) => (this.#leftOut.has(id) ? undefined : key)));
  }

  #readsOf(flags: readonly Flag[]): Reads {
    const last = this.#lastAsked;
    if (last?.flags.length === flags.length && flags.every((flag, index) => flag === last.flags[index])) return last.reads;
    const each = flags.slice(0, MANY + 1).map(({ reads }) => reads);
    const some = each.length <= MANY && each.every((reads) => reads !== undefined);
    const reads = some ? union(each) : this.#ruleset.allReads;
    this.#lastAsked = { flags, reads };
    return reads;
  }

  #codeOf(flag: Flag, user: User, nowMs: number): number {
    const writer = borrowWriter();
    writeUser(writer, flag.reads ?? this.#ruleset.allReads, user);
    const code = ask(this.#resident(), writer, nowMs, flag.id);
    if (code === MALFORMED) throw malformed();
    return code;
  }

  #codesOf(flags: readonly Flag[] | undefined, reads: Reads, user: User, nowMs: number): Int32Array {
    const writer = borrowWriter();
    writeFlags(writer, flags);
    writeUser(writer, reads, user);
    const resident = this.#resident();
    const first = ask(resident, writer, nowMs, undefined) >>> 2;
    if (first === 0) throw malformed();
    return resident.instance.codes.slice(first, first + (flags?.length ?? this.#ruleset.size));
  }
}

/**
 * What the evaluator says to a packed request, for which the writer is given back: the code of one flag, or the
 * address of the codes of those that the request names.
 */
function ask(resident: Resident, writer: Writer, nowMs: number, id: number | undefined): number {
  const { instance: home, evaluator } = resident;
  const { length } = writer;
  try {
    if (length > resident.capacity || (resident.capacity > KEEP_BYTES && length <= KEEP_BYTES)) makeRoom(resident, length);
    writer.copyTo(home.bytes, home.words, resident.address);
    giveBack(writer);
    return id === undefined ? evaluator.flags(nowMs, length) : evaluator.flag(id, nowMs, length);
  } catch (error) {
    throw broken(error);
  }
}

/** Room for a request of this length and those like it. That of an unusually large one is not kept. */
function makeRoom(resident: Resident, length: number): void {
  let capacity = ROOM;
  while (capacity < length && capacity < KEEP_BYTES) capacity *= 2;
  capacity = Math.max(capacity, length);
  resident.address = resident.evaluator.room(capacity);
  resident.capacity = capacity;
}

/** The compiled ruleset that a snapshot brings, loaded; undefined when there is none to be used. */
function loadCompiled(bytes: Uint8Array, frame: Frame | undefined, evaluationContexts: string[] | undefined): Loaded | undefined {
  if (frame?.code === undefined) return undefined;
  const { start, end } = frame.code;
  // A copy: tables are read from it later, when whoever brought the bytes may have written over them.
  const result = loaded({ bytes: bytes.slice(0, end), start, evaluationContexts });
  if (typeof result === "object") return result;
  // The compiler looks at the whole snapshot, and so knows better what is wrong with it.
  if (result === FAULT_DAMAGED && compiler === undefined) throw damagedRuleset();
  return undefined;
}

function loadDefinitions(bytes: Uint8Array, evaluationContexts: string[] | undefined): Loaded {
  if (compiler === undefined) {
    if (!isSnapshot(bytes)) throw needsCompiler("these are definitions, not a snapshot");
    throw frameOf(bytes) === undefined ? damaged("its sections do not fill it") : needsCompiler("this snapshot has no ruleset of this version");
  }
  const result = loaded({ bytes: compiler.compile(bytes, evaluationContexts), start: 0, evaluationContexts: undefined });
  if (typeof result !== "object") throw damagedRuleset();
  return result;
}

/** A ruleset, or the evaluator's fault with it. */
function loaded(code: Code): Loaded | number {
  const handle = load(code);
  if (typeof handle === "number") return handle;
  return { code, handle, ruleset: new Ruleset(code.bytes, code.start) };
}

function load({ bytes, start, evaluationContexts }: Code): Resident | number {
  const home = instance();
  const writer = borrowWriter();
  try {
    for (const context of evaluationContexts ?? []) writer.string(context);
    const evaluator = home.load(bytes, start, writer.written());
    return evaluator === undefined ? home.fault() : { instance: home, evaluator, address: 0, capacity: 0 };
  } catch (error) {
    throw broken(error);
  } finally {
    giveBack(writer);
  }
}

function leftOut({ evaluator }: Resident): ReadonlySet<number> {
  try {
    return new Set(evaluator.left_out());
  } catch (error) {
    throw broken(error);
  }
}

function damagedRuleset(): FlagpostError {
  return damaged("its compiled ruleset is not what was written");
}

/** A copy of bytes that others may write at any time; the same bytes otherwise. */
function unshared(bytes: Uint8Array): Uint8Array {
  return Object.prototype.toString.call(bytes.buffer) === "[object SharedArrayBuffer]" ? bytes.slice() : bytes;
}

function malformed(): FlagpostError {
  return broken(new Error("the packed user is malformed"));
}

function needsCompiler(what: string): FlagpostError {
  const fix = 'write a snapshot with a current refresher, or import "flagpost"';
  return new FlagpostError("needs_compiler", `${what}, and "flagpost/slim" has no compiler: ${fix}`);
}

let registry: FinalizationRegistry<Handle> | undefined;

/** Frees rulesets that were dropped without `free()`, where the runtime can tell. */
function forgotten(): FinalizationRegistry<Handle> | undefined {
  if (typeof FinalizationRegistry !== "undefined") registry ??= new FinalizationRegistry(release);
  return registry;
}
