/**
 * What a run of the differential test has covered: how often each operator met each kind of value
 * with which outcome, and how often flags with each feature had which answer.
 */
import { FEATURES, featuresOf } from "./features.mjs";
import { OPERATOR_NAMES, operatorName, outcomesOf } from "./operators.mjs";
import { kindOf, textOf, USER_VALUE_KINDS } from "./values.mjs";

const LETTERS = { true: "t", false: "f", missing_context: "m", unsupported_definition: "u", threw: "x" };
const ANSWERS = { true: "true", false: "false", variant: "variant", experience_continuity: "continuity", unsupported_definition: "unsupported", unresolved_dependency: "dependency", missing_context: "missing", threw: "throws" };
const ABSENT = "(absent)";
const VALUE_KINDS = [...USER_VALUE_KINDS, ABSENT];

/** Counts by name and outcome. Plain objects, so that coverage crosses between threads. */
export const emptyCoverage = () => ({ operators: {}, features: {} });

/** Counts one answer of the reference. */
export function count(coverage, { topic, definitions }, key, user, answer) {
  const flag = definitions.flags.findLast((candidate) => textOf(candidate?.key) === key);
  const outcome = outcomeOf(answer);
  if (topic === "filters") {
    const filter = flag.filters.groups[0].properties[0];
    const kind = Object.hasOwn(user.personProperties, filter.key) ? kindOf(user.personProperties[filter.key]) : ABSENT;
    add(coverage.operators, operatorName(filter.operator), kind, LETTERS[outcome]);
  } else {
    for (const feature of featuresOf(flag, definitions, topic)) add(coverage.features, feature, outcome);
  }
}

function outcomeOf({ value, unresolved, threw }) {
  if (threw !== undefined) return "threw";
  if (unresolved !== undefined) return unresolved;
  return typeof value === "boolean" ? String(value) : "variant";
}

function add(counts, ...path) {
  const last = path.pop();
  const holder = path.reduce((inner, name) => (inner[name] ??= {}), counts);
  holder[last] = (holder[last] ?? 0) + 1;
}

/** Adds one coverage to another. */
export function merge(into, from) {
  for (const [name, value] of Object.entries(from)) {
    if (typeof value === "number") into[name] = (into[name] ?? 0) + value;
    else merge((into[name] ??= {}), value);
  }
  return into;
}

/** What a run should have met and has not, a line each. */
export function gaps({ operators, features }) {
  const missing = [];
  for (const operator of OPERATOR_NAMES) {
    const row = operators[operator] ?? {};
    for (const kind of VALUE_KINDS) if (!row[kind]) missing.push(`operator ${operator} never met ${kind}`);
    const seen = new Set(Object.values(row).flatMap(Object.keys));
    for (const letter of outcomesOf(operator)) if (!seen.has(letter)) missing.push(`operator ${operator} never had outcome ${letter}`);
  }
  for (const feature of FEATURES) if (!features[feature]) missing.push(`no flag with ${feature}`);
  return missing;
}

/** The two tables as text. */
export function table({ operators, features }) {
  const sum = (counts = {}) => Object.values(counts).reduce((total, count) => total + (typeof count === "number" ? count : sum(count)), 0);
  const letters = (cell = {}) => Object.values(LETTERS).filter((letter) => cell[letter]).join("") || "-";
  const lines = ["operator x kind of the user's value: the outcomes posthog-node had", "t true, f false, m missing_context, u unsupported_definition, x throws", ""];
  for (const [index, kind] of VALUE_KINDS.entries()) lines.push(`  ${String.fromCharCode(65 + index)}  ${kind.padEnd(20)} ${sum(Object.values(operators).map((row) => row[kind] ?? {}))} answers`);
  lines.push("", row("", "answers", VALUE_KINDS.map((_, index) => String.fromCharCode(65 + index))));
  for (const operator of OPERATOR_NAMES) lines.push(row(operator, sum(operators[operator]), VALUE_KINDS.map((kind) => letters(operators[operator]?.[kind]))));
  lines.push("", "feature of a flag x posthog-node's answer: how many", "", feature("", Object.values(ANSWERS)));
  for (const name of FEATURES) lines.push(feature(name, Object.keys(ANSWERS).map((answer) => features[name]?.[answer] ?? 0)));
  return lines.join("\n");
}

const row = (name, total, cells) => `${name.padEnd(19)}${String(total).padStart(8)} ${cells.map((cell) => cell.padStart(6)).join("")}`;
const feature = (name, cells) => `${name.padEnd(30)}${cells.map((cell) => String(cell).padStart(12)).join("")}`;
