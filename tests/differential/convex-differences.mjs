/**
 * Where @posthog/convex 2.1.5 answers differently from posthog-node: a rule each, with a small example.
 * The examples are asked of both packages whenever convex.mjs runs; the table of docs/posthog-convex.md
 * is what `node tests/differential/convex.mjs --table` prints of them.
 *
 * An example asks for the last of its flags. `way` is "alone" unless it says "among all".
 */
const flag = (filters, members = {}) => ({ key: "f", active: true, filters, ...members });
const condition = (...properties) => ({ properties });
const one = (filter, user, extra) => ({ flags: [flag({ groups: [condition(filter)] })], user, ...extra });
const inCohort = (cohort, user, filter = {}) => one({ type: "cohort", value: "1", ...filter }, user, { cohorts: { 1: cohort } });
const person = (personProperties) => ({ distinctId: "u", personProperties });

const PLAN = { key: "plan", value: "pro", operator: "exact" };
const MISSING = { key: "gone", operator: "is_set" };
const UNDECIDED = { undecided: true };
const EVERYBODY = { groups: [{}] };
const FOR_COMPANIES = { aggregation_group_type_index: 0 };
const ACME = { distinctId: "u", groups: { company: "acme" } };

export const DIFFERENCES = [
  {
    id: "distinct-id-property",
    convex: "`distinct_id` is a person property only if the caller passes it.",
    node: "The distinct id is added to the person properties.",
    example: one({ key: "distinct_id", value: "u", operator: "exact" }, { distinctId: "u" }),
    answers: { node: { value: true }, convex: UNDECIDED },
  },
  {
    id: "group-key-property",
    convex: "`$group_key` is a group property only if the caller passes it.",
    node: "The group's key is added to its properties.",
    example: {
      flags: [flag({ ...FOR_COMPANIES, groups: [condition({ key: "$group_key", value: "acme", operator: "exact" })] })],
      types: { 0: "company" },
      user: { ...ACME, groupProperties: { company: {} } },
    },
    answers: { node: { value: true }, convex: UNDECIDED },
  },
  {
    id: "group-without-properties",
    convex: "A group for which the caller passes no properties has no map of them: a flag for that group type throws at its first property filter, and a condition for it in another flag is undecided.",
    node: "Every group has a map of properties.",
    example: { flags: [flag({ groups: [{ ...FOR_COMPANIES }] })], types: { 0: "company" }, user: ACME },
    answers: { node: { value: true }, convex: UNDECIDED },
  },
  {
    id: "evaluation-contexts",
    convex: "There is no option for evaluation contexts. Every flag is evaluated.",
    node: "With the option `evaluationContexts`, a flag for other contexts is left out, and a dependency on it is `false`.",
    example: {
      flags: [flag(EVERYBODY, { key: "base", evaluation_contexts: ["web"] }), flag({ groups: [condition({ type: "flag", key: "base", value: true, dependency_chain: ["base"] })] })],
      contexts: ["server"],
      user: { distinctId: "u" },
    },
    answers: { node: { value: false }, convex: { value: true } },
  },
  {
    id: "holdouts",
    convex: "Holdouts are ignored.",
    node: "A held-out user gets the value `holdout-<id>`.",
    example: { flags: [flag({ ...EVERYBODY, holdout: { id: 7, exclusion_percentage: 100 } })], user: { distinctId: "u" } },
    answers: { node: { value: "holdout-7" }, convex: { value: true } },
  },
  {
    id: "early-exit",
    convex: "`early_exit` is ignored: later conditions count.",
    node: "A condition that matches but for its rollout ends the flag when `early_exit` is on.",
    example: { flags: [flag({ groups: [{ rollout_percentage: 0 }, {}], early_exit: true })], user: { distinctId: "u" } },
    answers: { node: { value: false }, convex: { value: true } },
  },
  {
    id: "regex-deferral",
    convex: "A later condition that matches gives the value, whatever an undecided pattern before it could have given.",
    node: "An undecided pattern keeps the flag undecided when its condition would have given another value than the one that matched.",
    example: {
      flags: [flag({ groups: [{ ...condition({ key: "plan", value: "(?=p)", operator: "regex" }), variant: "a" }, { variant: "b" }], multivariate: { variants: [{ key: "a", rollout_percentage: 50 }, { key: "b", rollout_percentage: 50 }] } })],
      user: person({ plan: "pro" }),
    },
    answers: { node: UNDECIDED, convex: { value: "b" } },
  },
  {
    id: "condition-negation",
    convex: "`negation` on a filter of a condition inverts it.",
    node: "`negation` counts only inside cohorts.",
    example: one({ ...PLAN, negation: true }, person({ plan: "pro" })),
    answers: { node: { value: true }, convex: { value: false } },
  },
  {
    id: "cohort-not-in",
    convex: "The operator `not_in` of a cohort filter is read as `in`.",
    node: "`not_in` matches those who are not in the cohort.",
    example: inCohort({ type: "AND", values: [PLAN] }, person({ plan: "pro" }), { operator: "not_in" }),
    answers: { node: { value: false }, convex: { value: true } },
  },
  {
    id: "cohort-type-property",
    convex: "A cohort group of type `property` needs one of its filters to match.",
    node: "A cohort group of type `property` needs all of its filters to match.",
    example: inCohort({ type: "property", values: [PLAN, { key: "age", value: "9", operator: "exact" }] }, person({ plan: "pro", age: "8" })),
    answers: { node: { value: false }, convex: { value: true } },
  },
  {
    id: "cohort-type-unknown",
    convex: "A cohort group of an unknown type needs one of its filters to match.",
    node: "A cohort group of an unknown type leaves the flag undecided.",
    example: inCohort({ type: "XOR", values: [PLAN] }, person({ plan: "pro" })),
    answers: { node: UNDECIDED, convex: { value: true } },
  },
  {
    id: "cohort-empty-or",
    convex: "A cohort group of type `OR` without values holds everybody.",
    node: "It holds nobody.",
    example: inCohort({ type: "OR", values: [] }, { distinctId: "u" }),
    answers: { node: { value: false }, convex: { value: true } },
  },
  {
    id: "cohort-dependency",
    convex: "A flag dependency inside a cohort is always undecided.",
    node: "It is evaluated.",
    example: {
      flags: [flag(EVERYBODY, { key: "base" }), flag({ groups: [condition({ type: "cohort", value: "1" })] })],
      cohorts: { 1: { type: "AND", values: [{ type: "flag", key: "base", value: true, dependency_chain: ["base"] }] } },
      user: { distinctId: "u" },
    },
    answers: { node: { value: true }, convex: UNDECIDED },
  },
  {
    id: "dependency-undecidable",
    convex: "After a dependency on a flag with a cohort that is not in the definitions, later conditions count.",
    node: "Such a dependency leaves the flag undecided; later conditions are not looked at.",
    example: {
      flags: [flag({ groups: [condition({ type: "cohort", value: "9" })] }, { key: "base" }), flag({ groups: [condition({ type: "flag", key: "base", value: true, dependency_chain: ["base"] }), {}] })],
      user: { distinctId: "u" },
    },
    answers: { node: UNDECIDED, convex: { value: true } },
  },
  {
    id: "dependency-missing-late",
    convex: "The flags of a dependency chain are evaluated, and remembered, until one is missing.",
    node: "If a flag of the chain is missing, none of the chain is evaluated. (This shows only where another chain leaves out its own flag.)",
    example: {
      flags: [
        flag(EVERYBODY, { key: "a" }),
        flag(EVERYBODY, { key: "b" }),
        flag({ groups: [condition({ type: "flag", key: "a", value: true, dependency_chain: ["a", "gone"] }), condition({ type: "flag", key: "a", value: true, dependency_chain: ["b"] })] }),
      ],
      user: { distinctId: "u" },
    },
    answers: { node: UNDECIDED, convex: { value: true } },
  },
  {
    id: "semver-leading-zeros",
    convex: "Leading zeros in versions are accepted.",
    node: "A version with a leading zero is no version: the filter is undecided.",
    example: one({ key: "version", value: "1.2.3", operator: "semver_eq" }, person({ version: "01.2.3" })),
    answers: { node: UNDECIDED, convex: { value: true } },
  },
  {
    id: "semver-wildcard",
    convex: "`semver_wildcard` reads the leading digits of each part of the filter's value, and accepts leading zeros in the property.",
    node: "A part that is no plain number leaves the filter undecided.",
    example: one({ key: "version", value: "1x.*", operator: "semver_wildcard" }, person({ version: "1.2.3" })),
    answers: { node: UNDECIDED, convex: { value: true } },
  },
  {
    id: "first-undecided-filter",
    convex: "The first undecided filter of a condition ends the condition as undecided.",
    node: "The other filters are looked at: one that is false decides that the condition does not match.",
    example: { flags: [flag({ groups: [condition(MISSING, PLAN)] })], user: person({ plan: "free" }) },
    answers: { node: { value: false }, convex: UNDECIDED },
  },
  {
    id: "cohorts-false",
    convex: "`cohorts` given as `false` make a cohort filter throw.",
    node: "Such `cohorts` count as empty: the flag is undecided.",
    example: one({ type: "cohort", value: "1" }, { distinctId: "u" }, { cohorts: false }),
    answers: { node: UNDECIDED, convex: { threw: true } },
  },
  {
    id: "reason-exception",
    convex: "A flag bucketed by device id is undecided for a user without one, whatever its conditions hold.",
    node: "To find the reason, the conditions are read: if they are malformed, the call for one flag rejects. (Flagpost answers undecided.)",
    example: { flags: [flag({ groups: [condition(null)] }, { bucketing_identifier: "device_id" })], user: { distinctId: "u" } },
    answers: { node: { threw: true }, convex: UNDECIDED },
  },
  {
    id: "bulk-exception",
    way: "among all",
    convex: "When all flags are asked for, an exception in one flag rejects the whole call: no flag has an answer.",
    node: "That flag is left out and the error reported; the other flags have their answers. (Asked for one flag, both packages reject.)",
    example: {
      flags: [flag({ groups: [condition({ key: "plan", value: "a", operator: "icontains" })] }, { key: "throws" }), flag(EVERYBODY)],
      user: person({ plan: { toString: 1 } }),
    },
    answers: { node: { value: true }, convex: { threw: true } },
  },
  {
    id: "bulk-falsy-payload",
    way: "among all",
    convex: "When all flags are asked for, a payload that reads as 0, false or an empty text is kept.",
    node: "Such a payload is left out when all flags are asked for, and given when one flag is.",
    example: { flags: [flag({ ...EVERYBODY, payloads: { true: "0" } })], user: { distinctId: "u" } },
    answers: { node: { value: true }, convex: { value: true, payload: 0 } },
  },
  {
    id: "bulk-duplicate-keys",
    way: "among all",
    convex: "When all flags are asked for and two have the same key, both are evaluated, and the first can give the value.",
    node: "The last one in the definitions gives the value.",
    example: { flags: [flag(EVERYBODY), flag({ groups: [] })], user: { distinctId: "u" } },
    answers: { node: { value: false }, convex: { value: true } },
  },
];

/** What the model can follow either way, in the order in which they are preferred as explanations. The others concern how all flags are asked for. */
export const MODEL_RULES = DIFFERENCES.map(({ id }) => id).filter((id) => !id.startsWith("bulk-"));
export const BULK_RULES = { payload: "bulk-falsy-payload", exception: "bulk-exception", duplicate: "bulk-duplicate-keys" };

/** An example as a document to ask, as `documentOf` makes them. */
export function documentOfExample({ example: { flags, cohorts = {}, types = {}, contexts, isCached, user } }) {
  const version = { [isCached ? "propertyMatchingVersion" : "property_matching_version"]: 2 };
  return { topic: "flags", definitions: { flags, cohorts, group_type_mapping: types, ...version }, contexts, now: Date.UTC(2024, 0, 1), users: [user] };
}

/** The flag that an example asks for, and whether alone or among all. */
export const questionOfExample = ({ example, way = "alone" }) => ({ key: example.flags.at(-1).key, way });

/** The table of the documentation, a line a rule. */
export function documentationTable() {
  const heads = ["Rule", "@posthog/convex 2.1.5", "posthog-node 5.70.0 and Flagpost", "Example", "Answers"];
  const rows = DIFFERENCES.map(({ id, convex, node, example, answers }) => [
    `\`${id}\``, convex, node, `\`${exampleText(example)}\``,
    `@posthog/convex: ${answerText(answers.convex)}; posthog-node: ${answerText(answers.node)}`,
  ]);
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

function exampleText({ flags, cohorts, types, contexts, isCached, user }) {
  return JSON.stringify({ flags, cohorts, group_type_mapping: types, propertyMatchingVersion: isCached && 2, evaluationContexts: contexts, user });
}

function answerText({ value, payload, threw }) {
  if (threw) return "rejects";
  if (value === undefined) return "no value";
  return `\`${JSON.stringify(value)}\`${payload === undefined ? "" : `, payload \`${JSON.stringify(payload)}\``}`;
}
