/** Property operators, and which kinds of filter values each was made for. */
const SUBSTRING = ["word", "letter case", "number text", "integer", "array"];
const NUMBER = ["number text", "integer", "fraction", "extreme number", "date text", "letter case"];
const DATE = ["date text"];
const VERSION = ["version text"];

const MADE_FOR = {
  exact: ["word", "letter case", "boolean text", "boolean", "fraction", "array", "object", "number text"],
  is_not: ["word", "letter case", "boolean text", "boolean", "fraction", "array", "object", "number text"],
  is_set: ["word"],
  is_not_set: ["word"],
  icontains: SUBSTRING,
  not_icontains: SUBSTRING,
  starts_with: SUBSTRING,
  not_starts_with: SUBSTRING,
  ends_with: SUBSTRING,
  not_ends_with: SUBSTRING,
  regex: ["pattern text"],
  not_regex: ["pattern text"],
  gt: NUMBER,
  gte: NUMBER,
  lt: NUMBER,
  lte: NUMBER,
  is_date_before: DATE,
  is_date_after: DATE,
  semver_eq: VERSION,
  semver_neq: VERSION,
  semver_gt: VERSION,
  semver_gte: VERSION,
  semver_lt: VERSION,
  semver_lte: VERSION,
  semver_tilde: VERSION,
  semver_caret: VERSION,
  semver_wildcard: VERSION,
};

export const OPERATORS = Object.keys(MADE_FOR);

/** What stands for "no operator" and for operators that no SDK decides locally. */
const WITHOUT = [undefined, null, ""];
const UNKNOWN = ["between", "is_date_exact", "icontains_multi", "in", "not_in", "flag_evaluates_to", "EXACT", "min", 5, true];

export function anyOperator(random) {
  return random.one([20, () => random.pick(OPERATORS)], [1, () => random.pick(WITHOUT)], [1, () => random.pick(UNKNOWN)]);
}

/** The name a filter's operator has in the table: `(none)` is exact by default, `(unknown)` undecided. */
export function operatorName(operator) {
  if (!operator) return "(none)";
  return typeof operator === "string" && Object.hasOwn(MADE_FOR, operator) ? operator : "(unknown)";
}
export const OPERATOR_NAMES = [...OPERATORS, "(none)", "(unknown)"];

/** A kind of filter value, mostly one that the operator was made for. */
export function kindFor(random, operator, kinds) {
  const made = MADE_FOR[operator || "exact"];
  return made && random.chance(0.75) ? random.pick(made) : random.pick(kinds);
}

/** The outcomes that a run must have seen of an operator: true, false, missing, unsupported. */
export function outcomesOf(operator) {
  if (operator === "is_set") return "tm";
  if (operator === "is_not_set") return "fm";
  if (operator === "(unknown)") return "fu";
  return "tfmu";
}
