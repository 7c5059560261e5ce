/** Values by kind: what filters hold (JSON) and what users' properties hold (JavaScript). */
import { anyDate, anyVersion, anyPattern, textFor } from "./texts.mjs";

const WORDS = ["pro", "Pro", "PRO", "free", "banana", "team", "a", "b", "x", "XY", "", " ", "null", "undefined", "NaN", "[object Object]", "a,b", "toString"];
const CASES = ["straße", "STRASSE", "ſ", "K", "k", "Å", "å", "İ", "i̇", "ı", "ΑΣ", "ας", "Σ", "é", "É", "日本", "😀", "a😀b", "ǅ", "ﬁ", "\u00a0x\u00a0", "\ufeff", "\u2028"];
const NUMERIC = ["0", "1", "5", "5.0", "5.5", "-5", "+5", "05", "5px", " 5", "5 ", ".5", "5.", "1e3", "1e", "1e400", "-1e400", "0x10", "1,000", "Infinity", "-Infinity", "infinity", "NaN", "--5", "٣", "9007199254740993", "1_000"];
const BOOLEANS = ["true", "false", "True", "FALSE", "TRUE", "tRuE", " true", "yes", "truе"];
const LONE = ["\ud800", "a\udc00", "\udc00\ud800", "x\ud83d"];
const INTEGERS = [0, 1, 2, 5, 7, 10, 42, -1, -5, 100, 2024, 1e9, 1.6e12, 1.7e12, 9007199254740991];
const FRACTIONS = [0.5, 1.5, 5.5, -0.5, 3.14159, 0.1, 1 / 3, 99.99, 1e-6, 1e-7, 123456.789];
const EXTREMES = [-0, 1e21, 1e300, 5e-324, 1.7976931348623157e308, 9007199254740992, 12345678901234567890, 8.64e15, 8.64e15 + 1, -8.64e15, 4294967296];

/** Kind -> (random, nested) -> a value that JSON can carry. */
const JSON_KINDS = {
  word: (random) => random.pick(WORDS),
  "letter case": (random) => random.pick(CASES),
  "number text": (random) => random.pick(NUMERIC),
  "boolean text": (random) => random.pick(BOOLEANS),
  "date text": (random) => anyDate(random),
  "version text": (random) => anyVersion(random),
  "pattern text": (random) => anyPattern(random),
  "lone surrogate": (random) => random.pick(LONE),
  integer: (random) => (random.chance(0.2) ? random.between(-1000, 1000) : random.pick(INTEGERS)),
  fraction: (random) => (random.chance(0.3) ? random.between(-9999, 9999) / 100 : random.pick(FRACTIONS)),
  "extreme number": (random) => random.pick(EXTREMES),
  boolean: (random) => random.chance(0.5),
  null: () => null,
  array: (random, depth = 0) => random.many(random.below(4), () => (random.chance(0.3) ? random.pick(WORDS) : jsonValue(random, depth + 1))),
  object: (random, depth = 0) => Object.fromEntries(random.many(random.below(4), () => [random.pick(["a", "b", "é", "ꟿ", "😀", "toString", "length", "values", "1"]), jsonValue(random, depth + 1)])),
};
export const FILTER_KINDS = Object.keys(JSON_KINDS);

class Point {
  constructor() {
    this.x = 1;
  }
}

const bare = (members) => Object.assign(Object.create(null), members);
const ownText = (list, text) => Object.assign(list, { toString: () => text });
const nested = (depth, wrap) => Array.from({ length: depth }).reduce(wrap, "x");
const NAN_KINDS = [NaN, Infinity, -Infinity];
const EXOTICS = [
  () => 10n, () => new Map([["a", 1]]), () => new Set(), () => /a+/, () => () => 1, () => Symbol("sign"), () => new Point(), () => Point, () => new Error("boom"),
  () => new String("pro"), () => new Number(5), () => new Boolean(false), () => ({ toString: () => "pro" }), () => ({ valueOf: () => 5 }),
  () => Object.create({ inherited: 1 }), () => new Uint8Array([1, 2]), () => new Proxy({}, {}), () => ({ toString: 1 }),
  // eslint-disable-next-line no-sparse-arrays
  () => [1.5, , "a"], () => { const ring = []; ring.push(ring); return ring; }, () => [undefined], () => ({ a: undefined }), () => [NaN],
  () => bare({}), () => bare({ a: "x", b: 1.5 }), () => [bare({ a: "pro" }), 1.5], () => ({ a: bare({}) }), () => bare({ toString: () => "pro" }), () => bare({ valueOf: () => 5 }), () => bare({ [Symbol.toPrimitive]: () => "1.5.0" }),
  () => ({ a: 1.5, [Symbol.toStringTag]: "pro" }), () => ({ a: "b", [Symbol.toPrimitive]: () => "pro" }), () => ({ [Symbol.toPrimitive]: () => Symbol("sign") }), () => Object.defineProperty({ a: "x" }, "toString", { value: () => "2024-01-02" }),
  () => Math, (function args() { return () => arguments; })("a", 1.5),
  () => ownText(["a", "b"], "pro"), () => ownText([], "5"), () => ownText([true, "TRUE"], "x"), () => [ownText(["a"], "2.0.0"), "b"], () => ownText([1.5], {}), () => Object.assign(["a", "b"], { join: () => "team" }),
  () => nested(150, (inner) => [inner]), () => nested(150, (a) => ({ a })), () => nested(101, (inner) => ownText([inner], "x")),
];

/** Kind -> random -> a value of a JavaScript caller. */
const USER_KINDS = {
  ...JSON_KINDS,
  undefined: () => undefined,
  "NaN, Infinity": (random) => random.pick(NAN_KINDS),
  Date: (random) => new Date(random.chance(0.25) ? NaN : random.one([1, () => random.between(0, 4102444800) * 1000], [1, () => Date.UTC(2024, random.below(12), random.between(1, 31), 12)])),
  "other JavaScript": (random) => random.pick(EXOTICS)(),
};
export const USER_VALUE_KINDS = Object.keys(USER_KINDS);

/** A value of the kind for a filter, or for a user's property. */
export const filterValue = (random, kind) => JSON_KINDS[kind](random);
export const userValue = (random, kind) => USER_KINDS[kind](random);

/** Any JSON value, scalars mostly. */
export function jsonValue(random, depth = 0) {
  const kind = random.pick(FILTER_KINDS);
  if (depth > 2 && (kind === "array" || kind === "object")) return null;
  return JSON_KINDS[kind](random, depth);
}

/** What kind a user's value is of: the first that could have made it. */
export function kindOf(value) {
  if (value === null) return "null";
  switch (typeof value) {
    case "undefined": return "undefined";
    case "boolean": return "boolean";
    case "number":
      if (!Number.isFinite(value)) return "NaN, Infinity";
      if (Object.is(value, -0) || Math.abs(value) >= 2 ** 53 || (value !== 0 && Math.abs(value) < 1e-300)) return "extreme number";
      return Number.isInteger(value) ? "integer" : "fraction";
    case "string": return kindOfText(value);
    case "object":
      if (Array.isArray(value)) return isJson(value) ? "array" : "other JavaScript";
      if (value instanceof Date) return "Date";
      return isJson(value) ? "object" : "other JavaScript";
    default: return "other JavaScript";
  }
}

function kindOfText(text) {
  if (!text.isWellFormed()) return "lone surrogate";
  if (/^(true|false)$/i.test(text)) return "boolean text";
  if (/^\s*[+-]?(\d|\.\d|Infinity)/.test(text)) return /^v?\d+(\.\d+)+|^\d+\.\*/i.test(text.trim()) ? "version text" : Number.isNaN(Date.parse(text)) || /^[\d.+-]+$/.test(text) ? "number text" : "date text";
  // eslint-disable-next-line no-control-regex
  if (/[^\x00-\x7f]/.test(text)) return "letter case";
  if (!Number.isNaN(Date.parse(text))) return "date text";
  return /[\\^$*+?()[\]{}|]/.test(text) ? "pattern text" : "word";
}

function isJson(value) {
  if (value === null || ["string", "boolean"].includes(typeof value)) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return Object.keys(value).length === value.length && !value.includes(value) && value.every(isJson);
  return typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson);
}

/** A value for a user's property that has something to do with a filter's value. */
export function related(random, value, operator, now) {
  const text = textOf(value);
  if (Array.isArray(value) && value.length > 0 && random.chance(0.4)) return random.pick(value);
  if (/date/.test(operator) && random.chance(0.6)) return textFor(random, text, operator, now);
  return random.one(
    [4, () => textFor(random, text, operator, now)],
    [2, () => value],
    [1, () => text],
    [1, () => text.toUpperCase()],
    [1, () => `x${text}`],
    [1, () => `${text}x`],
    [1, () => `a${text.toLowerCase()}b`],
    [1, () => text.slice(0, -1)],
    [1, () => Number(text)],
    [1, () => (typeof value === "number" ? value + random.pick([-1, 0.5, 1]) : [value])],
    [1, () => (Array.isArray(value) ? structuredClone(value).reverse() : value)],
  );
}

/** `String(value)`, or nothing where that throws. */
export function textOf(value) {
  try {
    return String(value);
  } catch {
    return "";
  }
}
