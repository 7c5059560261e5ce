/** What a filter asks of a property, prepared when definitions are compiled. */
import { asciiLower, versionOf, versionPart } from "./slots.mjs";

export const [EXACT, CONTAINS, STARTS, ENDS, REGEX, GT, GTE, LT, LTE, BEFORE, AFTER, VERSION, WITHIN, PRESENT, COHORT, FLAG] = Array(16).keys();

/** Bits: accept less, equal, greater. */
const VERSIONS = { semver_eq: 2, semver_neq: 5, semver_gt: 4, semver_gte: 6, semver_lt: 1, semver_lte: 3 };

const OPERATORS = {
  exact: EXACT,
  icontains: CONTAINS,
  starts_with: STARTS,
  ends_with: ENDS,
  regex: REGEX,
  gt: GT,
  gte: GTE,
  lt: LT,
  lte: LTE,
  is_date_before: BEFORE,
  is_date_after: AFTER,
  ...Object.fromEntries(Object.keys(VERSIONS).map((name) => [name, VERSION])),
  semver_tilde: WITHIN,
  semver_caret: WITHIN,
  semver_wildcard: WITHIN,
  is_set: PRESENT,
};

/** One shape for all tests, so that the loop that asks them sees one kind of object. */
export class Test {
  constructor(op, slot, negate) {
    this.op = op;
    this.slot = slot;
    this.negate = negate ? 1 : 0;
    this.epoch = 0;
    this.result = 0;
    /** EXACT: a bit for each number of `slot.numbers`; the first 31 are in `mask`. */
    this.mask = 0;
    this.more = null;
    this.booleanLike = false;
    this.text = "";
    this.number = 0;
    this.regex = null;
    /** Dates: the absolute time, or how far back: `amount` of `unit`. */
    this.time = 0;
    this.amount = 0;
    this.unit = "";
    this.accept = 0;
    this.lower = null;
    this.upper = null;
    /** COHORT: its tree. FLAG: the flags to evaluate first, the last of which is compared. */
    this.cohort = null;
    this.chain = null;
    this.expected = undefined;
  }
}

/** What these definitions ask that this evaluator was not written for. */
export function refuse(what) {
  throw new Error(`the plain evaluator does not know ${what}`);
}

/** @param {object} filter a property filter of PostHog's, @param {import("./slots.mjs").Slot} slot */
export function propertyTest({ value, operator = "exact" }, slot, negation) {
  const negative = operator === "is_not" || operator.startsWith("not_") || operator === "is_not_set";
  const name = operator === "is_not" ? "exact" : operator.replace("not_", "");
  const test = new Test(OPERATORS[name] ?? refuse(`the operator ${operator}`), slot, negative !== Boolean(negation));
  if (test.op === EXACT) prepareExact(test, value);
  else if (test.op <= ENDS) test.text = asciiLower(String(value));
  else if (test.op === REGEX) test.regex = new RegExp(String(value));
  else if (test.op <= LTE) prepareNumeric(test, value);
  else if (test.op <= AFTER) prepareDate(test, value);
  else if (test.op <= WITHIN) prepareVersion(test, name, value);
  return test;
}

function prepareExact(test, value) {
  const items = Array.isArray(value) ? value : [value];
  if (items.length === 0) refuse("exact filters without values");
  test.booleanLike = true;
  for (const item of items) {
    if (typeof item !== "string") refuse(`exact filters of ${JSON.stringify(item)}`);
    const text = item.toLowerCase();
    if (text !== "true" && text !== "false") test.booleanLike = false;
    const number = test.slot.numberOf(text);
    if (number < 32) test.mask |= 1 << number;
    else (test.more ??= new Set()).add(number);
  }
}

function prepareNumeric(test, value) {
  test.text = String(value);
  test.number = typeof value === "number" ? value : parseFloat(test.text);
}

function prepareDate(test, value) {
  const relative = /^-?(\d{1,4})([hdwmy])$/.exec(String(value));
  if (relative) [test.amount, test.unit] = [Number(relative[1]), relative[2]];
  else test.time = new Date(value).valueOf();
  if (Number.isNaN(test.time)) refuse(`the date ${value}`);
}

function prepareVersion(test, name, value) {
  if (test.op === VERSION) [test.accept, test.lower] = [VERSIONS[name], versionOf(value)];
  else [test.lower, test.upper] = versionRange(name, value) ?? [null, null];
  if (test.lower === null) refuse(`the version ${value}`);
}

function versionRange(name, value) {
  if (name === "semver_wildcard") {
    const parts = String(value).trim().replace(/^[vV]/, "").replace(/\.\*$/, "").replace(/\*$/, "").split(".").map(versionPart);
    if (parts.slice(0, 2).includes(NaN)) return null;
    const [major, minor] = parts;
    return minor === undefined ? [[major, 0, 0], [major + 1, 0, 0]] : [[major, minor, 0], [major, minor + 1, 0]];
  }
  const lower = versionOf(value);
  if (lower === null) return null;
  const [major, minor, patch] = lower;
  if (name === "semver_tilde") return [lower, [major, minor + 1, 0]];
  return [lower, major > 0 ? [major + 1, 0, 0] : minor > 0 ? [0, minor + 1, 0] : [0, 0, patch + 1]];
}
