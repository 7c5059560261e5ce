/** Which features of definitions a flag uses. */
import { textOf } from "./values.mjs";

const filtersOf = (flag) => listOf(flag.filters?.groups).flatMap((condition) => listOf(condition?.properties)).filter((filter) => filter !== null && typeof filter === "object");
const conditionsOf = (flag) => listOf(flag.filters?.groups).filter((condition) => condition !== null && typeof condition === "object");
const listOf = (value) => (Array.isArray(value) ? value : []);
const anyFilter = (test) => (flag, definitions) => filtersOf(flag).some((filter) => test(filter, definitions));
const anyCondition = (test) => (flag) => conditionsOf(flag).some((condition) => test(condition, flag));
const isPartial = (share) => typeof share === "number" && share > 0 && share < 100;

const TESTS = {
  "no condition": (flag) => conditionsOf(flag).length === 0,
  "several conditions": (flag) => conditionsOf(flag).length > 1,
  "partial rollout": anyCondition((condition) => isPartial(condition.rollout_percentage)),
  "rollout that is no number": anyCondition(({ rollout_percentage: share }) => share !== undefined && share !== null && typeof share !== "number"),
  variants: (flag) => listOf(flag.filters?.multivariate?.variants).length > 0,
  "variant override": anyCondition((condition) => Boolean(condition.variant)),
  payloads: (flag) => Object.keys(flag.filters?.payloads ?? {}).length > 0,
  "early exit": (flag) => Boolean(flag.filters?.early_exit),
  "early exit and a regex": (flag) => Boolean(flag.filters?.early_exit) && filtersOf(flag).some((filter) => ["regex", "not_regex"].includes(filter.operator)),
  holdout: (flag) => flag.filters?.holdout?.id != null && flag.filters.holdout.exclusion_percentage != null,
  "inactive": (flag) => !flag.active,
  "experience continuity": (flag) => Boolean(flag.ensure_experience_continuity),
  "device id bucketing": (flag) => flag.bucketing_identifier === "device_id",
  "group flag": (flag) => flag.filters?.aggregation_group_type_index != null,
  "mixed aggregation": anyCondition((condition, flag) => condition.aggregation_group_type_index !== undefined && condition.aggregation_group_type_index !== flag.filters.aggregation_group_type_index),
  "unknown group type": (flag, { group_type_mapping: types }) => flag.filters?.aggregation_group_type_index != null && !types?.[textOf(flag.filters.aggregation_group_type_index)],
  cohort: anyFilter((filter) => filter.type === "cohort"),
  "cohort, not_in": anyFilter((filter) => filter.type === "cohort" && filter.operator === "not_in"),
  "cohort that is absent": anyFilter((filter, { cohorts }) => filter.type === "cohort" && !Object.hasOwn(cohorts ?? {}, textOf(filter.value))),
  "cohort with a cohort inside": anyFilter((filter, { cohorts }) => filter.type === "cohort" && /"type":"cohort"/.test(JSON.stringify(cohorts?.[textOf(filter.value)]) ?? "")),
  "cohort with a negated filter": anyFilter((filter, { cohorts }) => filter.type === "cohort" && /"negation":true/.test(JSON.stringify(cohorts?.[textOf(filter.value)]) ?? "")),
  "cohort with a flag inside": anyFilter((filter, { cohorts }) => filter.type === "cohort" && /"type":"flag"/.test(JSON.stringify(cohorts?.[textOf(filter.value)]) ?? "")),
  "negation on a condition's filter": anyFilter((filter) => Boolean(filter.negation)),
  dependency: anyFilter((filter) => filter.type === "flag"),
  "dependency, chain of several": anyFilter((filter) => filter.type === "flag" && listOf(filter.dependency_chain).length > 1),
  "dependency, empty chain": anyFilter((filter) => filter.type === "flag" && listOf(filter.dependency_chain).length === 0),
  "dependency on a missing flag": anyFilter((filter, { flags }) => filter.type === "flag" && listOf(filter.dependency_chain).some((key) => !flags.some((flag) => flag?.key === key))),
  "dependency on a variant": anyFilter((filter) => filter.type === "flag" && typeof filter.value === "string"),
  "property named as a prototype's": anyFilter((filter) => typeof filter.key === "string" && filter.key in {}),
  "evaluation contexts or tags": (flag) => Boolean(flag.evaluation_contexts ?? flag.evaluation_tags),
  "runtime client": (flag) => flag.evaluation_runtime === "client",
  "matching version 2": (_, { property_matching_version: version }) => version === 2,
  "matching version absent or 1": (_, { property_matching_version: version }) => version !== 2,
  "malformed somewhere": (_flag, _definitions, topic) => topic === "malformed",
};

export const FEATURES = Object.keys(TESTS);

/** The names of the features that a flag of these definitions has. */
export function featuresOf(flag, definitions, topic) {
  return FEATURES.filter((name) => TESTS[name](flag, definitions, topic));
}
