/** Definitions as PostHog sends them, with every feature of flags, well formed. */
import { anyOperator, kindFor } from "./operators.mjs";
import { FILTER_KINDS, filterValue } from "./values.mjs";

export const GROUP_TYPES = { 0: "company", 1: "project", 2: "" };
/** Names that every JavaScript object has are properties like others. */
export const PROPERTY_KEYS = ["plan", "email", "version", "joined", "count", "$device_id", "distinct_id", "$group_key", "constructor", "__proto__", "toString", "hasOwnProperty", "length", "", "é", "k\ud83d"];
const FLAG_KEYS = ["constructor", "toString", "beta", "Beta", "new-checkout", "é", "1", "0", "a.b", "flag with space", "", "true", "null", "a\ud800", "x".repeat(60)];
const VARIANTS = ["control", "test", "a", "b", "true", "false", "é", "v\ud83d", ""];
const COHORTS = ["1", "2", "3", "valueOf"];

/**
 * Definitions of up to eight flags and four cohorts. Whatever depends on another flag or cohort
 * depends on an earlier one, because the reference does not return from a cycle.
 */
export function anyDefinitions(random) {
  const keys = [];
  const places = new Map();
  const flags = random.many(random.between(1, 8), (index) => {
    const again = index > 2 && random.chance(0.03);
    const key = again ? random.pick(keys) : random.chance(0.2) ? random.pick(FLAG_KEYS) : `flag-${index}`;
    if (!places.has(key)) {
      places.set(key, keys.length);
      keys.push(key);
    }
    return anyFlag(random, key, { flags: keys.slice(0, places.get(key)).filter((name) => !(name in {})), cohorts: places.get(key) < 2 ? [] : COHORTS });
  });
  const cohorts = Object.fromEntries(COHORTS.filter(() => random.chance(0.9)).map((id) => {
    const names = { flags: keys.slice(0, 2).filter((name) => !(name in {})), cohorts: COHORTS.slice(0, COHORTS.indexOf(id)) };
    return [id, anyCohort(random, names)];
  }));
  const version = random.pick([undefined, 1, 2, 2, 2, null, "2", 3, true]);
  return {
    flags,
    group_type_mapping: random.chance(0.97) ? { ...GROUP_TYPES } : null,
    cohorts: random.chance(0.97) ? cohorts : random.pick([{}, null]),
    ...(version !== undefined && { [random.chance(0.9) ? "property_matching_version" : "propertyMatchingVersion"]: version }),
  };
}

function anyFlag(random, key, names) {
  const variants = random.chance(0.5) ? someVariants(random) : undefined;
  const group = random.chance(0.2) ? { aggregation_group_type_index: random.pick([0, 0, 1, 2, 7, null, "0"]) } : {};
  const filters = {
    groups: [...random.many(random.pick([0, 1, 1, 2, 2, 3, 3, 4]), () => anyCondition(random, names, variants)), ...(names.flags.length > 1 && random.chance(0.05) ? looseConditions(random, names.flags) : [])],
    multivariate: variants ? { variants } : random.pick([null, undefined, { variants: [] }]),
    payloads: random.chance(0.4) ? somePayloads(random) : random.pick([undefined, {}, null]),
    ...group,
    ...(random.chance(0.2) && { early_exit: random.pick([true, true, false, null, "yes"]) }),
    ...(random.chance(0.12) && { holdout: anyHoldout(random) }),
  };
  return {
    id: random.below(1000),
    name: "a flag",
    key,
    active: random.pick([true, true, true, true, true, true, true, true, true, false, "false", 0, undefined]),
    ensure_experience_continuity: random.chance(0.05) ? true : random.pick([false, null, undefined]),
    ...(random.chance(0.15) && { bucketing_identifier: random.pick(["device_id", "device_id", "distinct_id", null, "DEVICE_ID"]) }),
    ...(random.chance(0.3) && { [random.pick(["evaluation_contexts", "evaluation_contexts", "evaluation_tags"])]: random.pick([[], ["web"], ["server"], ["web", "server"], null]) }),
    evaluation_runtime: random.pick(["all", "client", "server", undefined]),
    filters,
  };
}

function anyCondition(random, names, variants) {
  return {
    properties: random.many(random.pick([0, 1, 1, 2, 2, 3]), () => anyFilter(random, names)),
    rollout_percentage: random.pick([100, 100, 100, 0, 50, 30, 33.33, null, undefined, 1e-7, "50", -1, 150]),
    variant: random.chance(0.25) ? (random.chance(0.7) && variants?.length ? random.pick(variants).key : random.pick([...VARIANTS, "gone", null])) : random.pick([null, undefined]),
    ...(random.chance(0.12) && { aggregation_group_type_index: random.pick([0, 1, 2, 7, null, null]) }),
  };
}

/** A filter: on a property, a cohort, or another flag. `names` holds the flags and cohorts it may use. */
export function anyFilter(random, names) {
  return random.one([14, () => propertyFilter(random)], [names.cohorts.length ? 3 : 0, () => cohortFilter(random, names.cohorts)], [names.flags.length ? 4 : 0, () => flagFilter(random, names.flags)], [0.7, () => undecidedRegex(random)], [0.1, () => cohortFilter(random, ["99", "static"])], [0.1, () => flagFilter(random, ["gone"])]);
}

export function propertyFilter(random, key = random.pick(PROPERTY_KEYS)) {
  const operator = anyOperator(random);
  const kind = kindFor(random, operator, FILTER_KINDS);
  return {
    key,
    type: random.pick(["person", "person", "person", "group", "event", undefined]),
    ...(random.chance(0.98) && { value: filterValue(random, kind) }),
    operator,
    ...(random.chance(0.15) && { negation: random.pick([true, false, null]) }),
  };
}

/** A regular expression that is left to the server, so that later conditions must not hide it. */
function undecidedRegex(random) {
  return { key: random.pick(["plan", "distinct_id"]), type: "person", value: random.pick(["(?=a)", "\\bpro", "é"]), operator: random.pick(["regex", "not_regex"]) };
}

function cohortFilter(random, cohorts) {
  const id = random.pick(cohorts);
  return {
    key: "id",
    type: "cohort",
    value: random.chance(0.5) && /^\d+$/.test(id) ? Number(id) : id,
    operator: random.pick(["in", "in", undefined, "not_in", "exact", "is_not"]),
    ...(random.chance(0.25) && { negation: random.chance(0.7) }),
  };
}

function flagFilter(random, flags) {
  const key = random.pick(flags);
  const chain = flags.slice(0, flags.indexOf(key)).filter(() => random.chance(0.3));
  return {
    key: random.chance(0.97) ? key : "gone",
    type: "flag",
    value: random.pick([true, true, true, false, false, false, ...VARIANTS, null, 1, [true]]),
    operator: random.pick(["flag_evaluates_to", "flag_evaluates_to", "exact", undefined]),
    ...(random.chance(0.98) && { dependency_chain: random.chance(0.88) ? [...chain, key] : random.pick([[], null, ...Array(4).fill(flags.filter((flag) => flag !== key)), [...chain, "gone"], "beta", [key, key]]) }),
    ...(random.chance(0.1) && { negation: true }),
  };
}

/** A dependency, then one on the same flag whose chain lacks it: only the first makes its value known. */
function looseConditions(random, flags) {
  const [key, other] = random.chance(0.5) ? [flags.at(-1), flags[0]] : [flags[0], flags.at(-1)];
  const dependency = (chain) => ({ key, type: "flag", operator: "flag_evaluates_to", value: random.chance(0.5), dependency_chain: [chain] });
  return [{ properties: [dependency(random.chance(0.8) ? key : other)] }, { properties: [dependency(other)] }];
}

function anyCohort(random, names) {
  const filters = () => random.many(random.pick([0, 1, 1, 2, 3]), () => anyFilter(random, names));
  const groups = (depth) => random.many(random.between(1, 3), () => group(depth + 1));
  const group = (depth) => ({ type: random.pick(["AND", "OR", "OR", "AND", "property", depth > 0 ? "AND" : "XOR"]), values: random.one([10, filters], [depth < 2 ? 10 : 0, () => groups(depth)], [depth < 2 ? 2 : 0, () => [...filters(), ...groups(depth)]]), ...(random.chance(0.05) && { negation: true }) });
  return random.chance(0.97) ? group(0) : random.pick([{}, null, { type: "AND" }, { type: "OR", values: null }]);
}

function someVariants(random) {
  const names = VARIANTS.filter(() => random.chance(0.4));
  const shares = random.pick([[50, 50, 0], [33.33, 33.33, 33.34], [10, 20, 30], [100, 0, 0], [0, 0, 0], [60, 60, 60], ["50", "25", null]]);
  return names.map((key, index) => ({ key, name: key, rollout_percentage: shares[index % shares.length] }));
}

function somePayloads(random) {
  const payload = () => random.pick(['{"a":1}', '"text"', "plain", "[1,2", "0", "false", "null", '""', "", "{'a':1}", " 1 ", "1e400", "-0", 0, 5, false, true, null, { a: [1.5] }, [], '\ufeff{"a":1}']);
  return Object.fromEntries(["true", "control", "test", "a", "b", "holdout-7", "false"].filter(() => random.chance(0.6)).map((key) => [key, payload()]));
}

function anyHoldout(random) {
  return { id: random.pick([7, 7, "x", 1.5, null, true]), exclusion_percentage: random.pick([0, 10, 50, 50, 90, 100, 150, -5, "50", " 50 ", "0x32", "abc", null, true, [50], []]) };
}
