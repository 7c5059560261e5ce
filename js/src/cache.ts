import { assertLoadable, isKept, isStillKept, kept, viewOf, type Kept } from "./bytes.js";
import { Compiled, encoded } from "./compiled.js";
import { FlagpostError } from "./errors.js";
import type { LoadOptions } from "./types.js";

/** How many rulesets are kept although nobody holds on to them. */
const KEEP = 4;

interface Entry {
  readonly compiled: Compiled;
  readonly contexts: string;
  /** What it came from. */
  readonly source: string | Kept;
}

/** The part of a buffer an entry was read from; zeros for other objects. */
interface Place {
  readonly offset: number;
  readonly length: number;
  readonly entry: Entry;
}

/** Rulesets by the very object or buffer they came from, for as long as that lives. */
let byObject: WeakMap<object, Place[]> | undefined;

/** The last few, latest first: the same text, or the same bytes in a new buffer, are found here. */
const recent: Entry[] = [];

/** The ruleset of an input; compiled unless the same input, or one with the same bytes, has been. */
export function compile(input: unknown, options?: LoadOptions): Compiled {
  assertLoadable(input);
  assertContexts(options?.evaluationContexts);
  const contexts = JSON.stringify(options?.evaluationContexts ?? []);
  const entry =
    typeof input === "string" ? ofText(input, contexts, options) : ofObject(input, contexts, options);
  keep(entry);
  return entry.compiled;
}

function assertContexts(contexts: unknown): void {
  if (contexts === undefined || contexts === null) return;
  if (Array.isArray(contexts) && Array.from(contexts, (context: unknown) => typeof context === "string").every(Boolean)) return;
  throw new FlagpostError("invalid_options", 'evaluationContexts is no list of strings: pass { evaluationContexts: ["web"] }');
}

/** Gives back a ruleset's memory if nobody holds it. Its next use compiles it again. */
export function drop(compiled: Compiled): void {
  if (compiled.holders > 0) return;
  const index = recent.findIndex((entry) => entry.compiled === compiled);
  if (index >= 0) recent.splice(index, 1);
  compiled.park();
}

function ofText(text: string, contexts: string, options: LoadOptions | undefined): Entry {
  return (
    recent.find(({ source, ...entry }) => source === text && entry.contexts === contexts) ?? {
      compiled: new Compiled(encoded(text), options?.evaluationContexts),
      contexts,
      source: text,
    }
  );
}

function ofObject(input: object, contexts: string, options: LoadOptions | undefined): Entry {
  const view = viewOf(input);
  // Views of one buffer come and go; the buffer stays.
  const owner = view?.buffer ?? input;
  const offset = view?.byteOffset ?? 0;
  const length = view?.length ?? 0;
  byObject ??= new WeakMap();
  const places = byObject.get(owner) ?? [];
  const isHere = (place: Place): boolean => place.offset === offset && place.length === length && place.entry.contexts === contexts;
  const known = places.find(isHere)?.entry;
  if (known !== undefined && (view === undefined || isFrom(known, view, isStillKept))) return known;
  const source = view ?? encoded(input);
  const entry = recent.find((other) => other.contexts === contexts && isFrom(other, source, isKept)) ?? {
    compiled: new Compiled(source, options?.evaluationContexts),
    contexts,
    source: kept(source),
  };
  byObject.set(owner, [...places.filter((place) => !isHere(place)), { offset, length, entry }]);
  return entry;
}

function isFrom({ source }: Entry, bytes: Uint8Array, compare: typeof isKept): boolean {
  return typeof source !== "string" && compare(source, bytes);
}

function keep(entry: Entry): void {
  const index = recent.indexOf(entry);
  if (index === 0) return;
  if (index > 0) recent.splice(index, 1);
  recent.unshift(entry);
  const oldest = recent.length > KEEP ? recent.pop() : undefined;
  if (oldest?.compiled.holders === 0) oldest.compiled.park();
}
