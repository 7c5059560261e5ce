/**
 * Where Flagpost answers differently from posthog-node on purpose. Each has the row of docs/parity.md
 * that describes it and questions with both answers, which differences.test.mjs asks again.
 *
 * A question: definitions (or their text), whether they come from a cache, a user, evaluation contexts, the answer of posthog-node and
 * that of Flagpost. Answers are those for flag "f", or `key`, asked for alone: `{value}`, `{unresolved}`,
 * `{threw}`, `{loads: false}`, `{never: true}` (posthog-node is stopped after some seconds), `{refused}` with
 * the code of Flagpost's error, or `undefined` for a flag that is not there.
 */
const flag = (filters, more = {}) => ({ key: "f", active: true, filters, ...more });
const withFilter = (...properties) => flag({ groups: [{ properties }] });
const dependsOn = (key, value, ...chain) => ({ type: "flag", key, value, dependency_chain: chain });
const other = (key, ...properties) => ({ key, active: true, filters: { groups: [{ properties }] } });
const isIn = (id) => ({ type: "cohort", value: id });
const user = { distinctId: "u" };
const nested = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const unsupported = { unresolved: "unsupported_definition" };
const missing = { unresolved: "missing_context" };
const loop = { unresolved: "unresolved_dependency" };

/** A dependency on each of `count` flags by the one before it. */
function line(count) {
  const flags = Array.from({ length: count }, (_, index) => other(`flag-${index}`, ...(index > 0 ? [dependsOn(`flag-${index - 1}`, true, `flag-${index - 1}`)] : [])));
  return { flags: [...flags, withFilter(dependsOn(`flag-${count - 1}`, true, `flag-${count - 1}`))] };
}

function thrower() {
  return Object.defineProperty({}, "plan", { enumerable: true, get() { throw new Error("no plan"); } });
}

export const DIFFERENCES = [
  {
    row: "names every object has",
    questions: [
      { definitions: { flags: [withFilter(dependsOn("constructor", false, "constructor"))] }, user, node: { value: false }, flagpost: unsupported },
      { definitions: { flags: [withFilter(isIn("constructor"))] }, user, node: { value: true }, flagpost: unsupported },
      { definitions: { flags: [flag({ aggregation_group_type_index: 0, groups: [{}] })], group_type_mapping: { 0: "constructor" } }, user, node: { value: true }, flagpost: { value: false } },
      { definitions: { flags: [flag({ groups: [{}] })] }, key: "constructor", user, node: { value: false }, flagpost: undefined },
    ],
  },
  {
    row: "cycles",
    questions: [
      { definitions: { flags: [other("g", dependsOn("f", true, "f")), withFilter(dependsOn("g", true, "g"))] }, user, node: { never: true }, flagpost: loop },
      { definitions: { flags: [withFilter(isIn("1"))], cohorts: { 1: { type: "AND", values: [isIn("1")] } } }, user, node: { threw: "RangeError: Maximum call stack size exceeded" }, flagpost: unsupported },
    ],
  },
  { row: "deep dependencies", questions: [{ definitions: line(199), user, node: { value: true }, flagpost: { value: true } }, { definitions: line(201), user, node: { value: true }, flagpost: loop }] },
  {
    row: "exceptions",
    questions: [
      { definitions: { flags: [flag({ groups: 5 })] }, user, node: { threw: "TypeError: flagConditions is not iterable" }, flagpost: unsupported },
      { definitions: { flags: [withFilter({ key: "plan", operator: "icontains", value: "a" })] }, user: { ...user, personProperties: { plan: Object.create(null) } }, node: { threw: "TypeError: Cannot convert object to primitive value" }, flagpost: unsupported },
    ],
  },
  {
    row: "ids without a text",
    questions: [{ definitions: { flags: [flag({ groups: [{ rollout_percentage: 50 }] }, { bucketing_identifier: "device_id" })] }, user: { ...user, personProperties: { $device_id: Symbol("device") } }, node: { threw: "TypeError: Cannot convert a Symbol value to a string" }, flagpost: missing }],
  },
  {
    row: "group keys without a text",
    questions: [
      [{ toString: 1 }, "TypeError: Cannot convert object to primitive value"],
      [Symbol("acme"), "TypeError: Cannot convert a Symbol value to a string"],
    ].map(([company, threw]) => ({
      definitions: { flags: [flag({ aggregation_group_type_index: 0, groups: [{ rollout_percentage: 50 }] })], group_type_mapping: { 0: "company" } },
      user: { ...user, groups: { company } },
      node: { threw },
      flagpost: { refused: "invalid_user" },
    })),
  },
  {
    row: "users of another shape",
    questions: [{ distinctId: true }, { ...user, groups: "acme" }, { ...user, personProperties: 5 }].map((odd) => ({ definitions: { flags: [flag({ groups: [{}] })] }, user: odd, node: { value: true }, flagpost: { refused: "invalid_user" } })),
  },
  {
    row: "getters that throw",
    questions: [
      { definitions: { flags: [flag({ groups: [{}] })] }, user: { ...user, personProperties: thrower() }, node: { threw: "Error: no plan" }, flagpost: { value: true } },
      { definitions: { flags: [withFilter({ key: "plan", operator: "is_set" })] }, user: { ...user, personProperties: thrower() }, node: { threw: "Error: no plan" }, flagpost: { threw: "Error: no plan" } },
    ],
  },
  {
    row: "JSON nested deeper than 500",
    questions: [
      { text: `{"flags":[{"key":"f","active":true,"filters":{"groups":[{}]},"name":${nested(400)}}]}`, user, node: { value: true }, flagpost: { value: true } },
      { text: `{"flags":[{"key":"f","active":true,"filters":{"groups":[{}]},"name":${nested(600)}}]}`, user, node: { value: true }, flagpost: unsupported },
    ],
  },
  {
    row: "properties nested deeper than 500",
    questions: [{ definitions: { flags: [withFilter({ key: "plan", operator: "exact", value: nested(600) })], property_matching_version: 2 }, user: { ...user, personProperties: { plan: JSON.parse(nested(600)) } }, node: { value: true }, flagpost: missing }],
  },
  {
    row: "patterns on which JavaScript's engine never ends",
    questions: [{ definitions: { flags: [withFilter({ key: "plan", operator: "regex", value: "(a+)+$" })] }, user: { ...user, personProperties: { plan: `${"a".repeat(60)}!` } }, node: { never: true }, flagpost: { value: false } }],
  },
  {
    row: "patterns beyond the limits",
    questions: [
      { definitions: { flags: [withFilter({ key: "plan", operator: "regex", value: "a|".repeat(33_000) })] }, user: { ...user, personProperties: { plan: "a" } }, node: { value: true }, flagpost: unsupported },
      { definitions: { flags: [withFilter({ key: "plan", operator: "regex", value: `${"(".repeat(260)}a${")".repeat(260)}` })] }, user: { ...user, personProperties: { plan: "a" } }, node: { value: true }, flagpost: unsupported },
    ],
  },
  {
    row: "searches beyond the limit",
    questions: [{ definitions: { flags: [withFilter({ key: "plan", operator: "regex", value: "[ab]{400}c" })] }, user: { ...user, personProperties: { plan: `${"a".repeat(60_000)}c` } }, node: { value: true }, flagpost: unsupported }],
  },
  {
    row: "flags that are null or whose key has no text",
    questions: [null, { key: { toString: 1 }, active: true }].map((odd) => ({ definitions: { flags: [odd, flag({ groups: [{}] })] }, user, node: { loads: false }, flagpost: { value: true } })),
  },
  {
    row: "evaluation contexts that are no list",
    questions: [{ definitions: { flags: [flag({ groups: [{}] }, { evaluation_contexts: 5 })] }, contexts: ["web"], user, node: { loads: false }, flagpost: { value: true } }],
  },
  {
    row: "long texts in place of maps",
    questions: [
      [300, { value: false }],
      [301, unsupported],
    ].map(([length, flagpost]) => ({ definitions: { flags: [flag({ aggregation_group_type_index: "length", groups: [{}] })], group_type_mapping: "a".repeat(length) }, user, node: { value: false }, flagpost })),
  },
  {
    row: "names that only caches use",
    questions: [{ definitions: { flags: [flag({ aggregation_group_type_index: 0, groups: [{}] })], groupTypeMapping: { 0: "company" } }, fromCache: false, user: { ...user, groups: { company: "acme" } }, node: unsupported, flagpost: { value: true } }],
  },
];
