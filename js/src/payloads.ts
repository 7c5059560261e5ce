import { parsed } from "./errors.js";

/** Longer texts are parsed each time: what they hold takes several times their memory. */
const LONGEST = 1 << 12;

/** What holds more objects and lists is parsed each time: each of them takes more memory than its text. */
const MOST = 32;

/** A value of JSON to make copies of, with those of its members that are objects themselves. */
interface Sample {
  readonly value: object;
  readonly nested: readonly (readonly [key: string, member: Sample])[];
}

/** A payload, kept as JSON until it has been read twice: a copy of what was parsed costs a tenth. */
export class Payload {
  /** Whether JavaScript holds it for true. */
  readonly truthy: boolean;
  readonly #json: string;
  #wasRead = false;
  /** Undefined as long as the text is parsed. */
  #sample: Sample | undefined;

  constructor(json: string, truthy: boolean) {
    this.#json = json;
    this.truthy = truthy;
  }

  /** The payload, fresh each time. */
  read(): unknown {
    if (this.#sample !== undefined) return copyOf(this.#sample);
    const value = parsed(this.#json);
    if (this.#wasRead && isObject(value) && this.#json.length <= LONGEST) {
      this.#sample = sampleOf(value, { left: MOST });
      if (this.#sample !== undefined) return copyOf(this.#sample);
    }
    this.#wasRead = true;
    return value;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Undefined when it holds more than so many objects, which bounds how deep they nest as well. */
function sampleOf(value: object, objects: { left: number }): Sample | undefined {
  if (objects.left-- === 0) return undefined;
  const nested: [string, Sample][] = [];
  for (const [key, member] of Object.entries(value)) {
    if (!isObject(member)) continue;
    const sample = sampleOf(member, objects);
    if (sample === undefined) return undefined;
    nested.push([key, sample]);
  }
  return { value, nested };
}

function copyOf({ value, nested }: Sample): object {
  const copy = (Array.isArray(value) ? value.slice() : { ...value }) as Record<string, unknown>;
  for (const [key, member] of nested) define(copy, key, copyOf(member));
  return copy;
}

/** Assignment that also works for a member named `__proto__`. */
export function define<T>(record: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    record[key] = value;
  }
}
