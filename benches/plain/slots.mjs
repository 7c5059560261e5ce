/** The user's properties: each is read at most once an evaluation, and so is each of its other forms. */

/** The state of a slot's forms before somebody asked for them. */
const UNASKED = undefined;
const ASCII_TEXT = /^[\0-\x0c\x0e-\x7f]*$/;
const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype));

export const asciiLower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Major, minor and patch; null if `value` is no version. */
export function versionOf(value) {
  const base = String(value).trim().replace(/^[vV]/, "").split("-")[0].split("+")[0];
  if (base === "" || base.startsWith(".")) return null;
  const parts = base.split(".");
  const numbers = [0, 1, 2].map((index) => (parts[index] ? versionPart(parts[index]) : 0));
  return numbers.includes(NaN) ? null : numbers;
}

export const versionPart = (text) => (/^(0|[1-9]\d*)$/.test(text) ? parseInt(text, 10) : NaN);

/** A property of the person (`scope` is null) or of a group of type `scope`. */
export class Slot {
  constructor(scope, key) {
    this.scope = scope;
    this.key = key;
    this.inherited = INHERITED.has(key);
    /** Lower-cased texts that exact filters ask for -> their numbers, from 1. */
    this.numbers = new Map();
    this.epoch = 0;
    this.present = false;
    this.value = undefined;
    this.forget();
  }

  forget() {
    this.exact = UNASKED;
    this.lowered = UNASKED;
    this.plain = UNASKED;
    this.number = UNASKED;
    this.time = UNASKED;
    this.version = UNASKED;
  }

  /** The number that exact filters know a text by; for definitions being compiled. */
  numberOf(text) {
    const known = this.numbers.get(text) ?? this.numbers.size + 1;
    this.numbers.set(text, known);
    return known;
  }

  read(user, epoch) {
    this.epoch = epoch;
    this.forget();
    const properties = this.scope === null ? user.personProperties : user.groupProperties?.[this.scope];
    let value = properties?.[this.key];
    if (value !== undefined && this.inherited && !Object.hasOwn(properties, this.key)) value = undefined;
    this.present = value !== undefined || (properties !== undefined && Object.hasOwn(properties, this.key));
    if (!this.present) {
      // The client adds these two.
      if (this.scope === null && this.key === "distinct_id") value = user.distinctId;
      if (this.scope !== null && this.key === "$group_key") value = user.groups[this.scope];
      this.present = value !== undefined;
    }
    this.value = value;
  }

  /** The number of the text that exact filters compare: 0 if none asks for it, -1 if there is no such text. */
  exactNumber() {
    return (this.exact ??= this.#exactNumber());
  }

  #exactNumber() {
    const { value } = this;
    if (typeof value === "string") return this.numbers.get(value.toLowerCase()) ?? 0;
    if (typeof value === "boolean" || value === null) return this.numbers.get(String(value)) ?? 0;
    if (typeof value === "number" && Number.isFinite(value) && !Number.isInteger(value)) return this.numbers.get(String(value)) ?? 0;
    return -1;
  }

  asciiLowered() {
    return (this.lowered ??= asciiLower(String(this.value)));
  }

  /** Whether regular expressions agree on this text everywhere. */
  isPlainText() {
    return (this.plain ??= ASCII_TEXT.test(String(this.value)));
  }

  asNumber() {
    return (this.number ??= typeof this.value === "number" ? this.value : parseFloat(String(this.value)));
  }

  /** Milliseconds since 1970; NaN for what is no date. */
  asTime() {
    return (this.time ??= typeof this.value === "string" || typeof this.value === "number" ? new Date(this.value).valueOf() : NaN);
  }

  asVersion() {
    if (this.version === UNASKED) this.version = versionOf(this.value);
    return this.version;
  }
}
