/** PostHog's definitions to the flat form that the evaluator walks; a flag is compiled when it is first asked for. */
import { CONTINUITY, FIRST_VARIANT } from "./codes.mjs";
import { Prefix } from "./hash.mjs";
import { Slot } from "./slots.mjs";
import { COHORT, FLAG, propertyTest, refuse, Test } from "./tests.mjs";

const EMPTY = Object.freeze([]);

export class Compiler {
  #definitions;
  #flags;
  #indices = new Map();
  /** Scope (null or a group type) -> property key -> slot. */
  #slots = new Map();
  #tests = new Map();
  #nodes = new Map();

  constructor(definitions) {
    const { flags, property_matching_version: version } = definitions;
    if (version !== 2) refuse(`property_matching_version ${version}`);
    this.#definitions = definitions;
    this.#flags = new Array(flags.length).fill(undefined);
    for (let index = 0; index < flags.length; index++) this.#indices.set(flags[index].key, index);
    if (this.#indices.size < flags.length) refuse("two flags with the same key");
  }

  /** The compiled flag, or undefined if there is none. */
  flag(key) {
    const index = this.#indices.get(key);
    return index === undefined ? undefined : this.#flagAt(index);
  }

  /** All flags, the codes of those that are decided, and the flags that are not. */
  everything() {
    const flags = this.#flags.map((_, index) => this.#flagAt(index));
    return { flags, fixed: Int16Array.from(flags, ({ fixed }) => fixed ?? 0), dynamic: flags.filter(({ fixed }) => fixed === null) };
  }

  #flagAt(index) {
    return (this.#flags[index] ??= this.#compile(this.#definitions.flags[index], index));
  }

  #compile({ key, active, filters, ensure_experience_continuity: continuity, bucketing_identifier: bucketing }, index) {
    if (bucketing === "device_id") refuse("device ids");
    if (filters.early_exit) refuse("early exit");
    const type = filters.aggregation_group_type_index;
    const group = type === undefined || type === null ? null : (this.#definitions.group_type_mapping[type] ?? refuse(`the group type ${type}`));
    const holdout = holdoutOf(filters.holdout);
    const values = [false, true, holdout?.value];
    /** Where each variant's share of the hash ends. */
    const ends = [];
    let end = 0;
    for (const variant of filters.multivariate?.variants ?? EMPTY) {
      values.push(variant.key);
      ends.push((end += variant.rollout_percentage / 100));
    }
    /** `prefix` is encoded when it is first hashed; `epoch` and `code` remember the last evaluation. */
    const flag = { key, index, group, holdout, values, ends, payloads: filters.payloads ?? null, prefix: null, conditions: EMPTY, fixed: null, epoch: 0, code: 0 };
    if (!active) flag.fixed = 0;
    else if (continuity) flag.fixed = CONTINUITY;
    else this.#conditions(filters.groups ?? EMPTY, flag);
    return flag;
  }

  /** The conditions that can decide, or the answer that they always give. */
  #conditions(groups, flag) {
    const conditions = [];
    for (const { properties, rollout_percentage: rollout, variant, aggregation_group_type_index: own } of groups) {
      if (own !== undefined) refuse("conditions about other groups than their flag");
      const tests = [];
      for (const filter of properties ?? EMPTY) tests.push(this.#filter(filter, flag, flag.group, false));
      const share = rollout === undefined || rollout === null ? 1 : rollout / 100;
      if (tests.length === 0 && share <= 0) continue;
      conditions.push({ tests, share, override: variant ? flag.values.indexOf(variant, FIRST_VARIANT) : 0 });
      if (tests.length === 0 && share >= 1) break;
    }
    flag.conditions = conditions;
    if (flag.holdout !== null || flag.group !== null) return;
    const [first] = conditions;
    if (first === undefined) flag.fixed = 0;
    else if (first.tests.length === 0 && first.share >= 1) flag.fixed = first.override > 0 ? first.override : flag.ends.length === 0 ? 1 : null;
  }

  /** A filter's test; equal filters share one, so that it is asked once. `negation` counts in cohorts only. */
  #filter(filter, flag, scope, negation) {
    const { type, key, value, operator } = filter;
    if (type === "flag") return this.#dependency(filter, flag, negation);
    if (type === "cohort") return this.#member(filter, flag, scope, negation);
    const slot = this.#slot(scope, key);
    // Asking these is cheaper than finding out that they are equal.
    if (operator === "exact" || operator === "is_not") return propertyTest(filter, slot, negation);
    const name = `${scope}\n${key}\n${operator}\n${typeof value}\n${value}\n${Boolean(negation)}`;
    let test = this.#tests.get(name);
    if (test === undefined) this.#tests.set(name, (test = propertyTest(filter, slot, negation)));
    return test;
  }

  #dependency({ key, value, dependency_chain: keys }, flag, negation) {
    const test = new Test(FLAG, null, negation);
    test.expected = value;
    test.chain = keys.map((dependency) => {
      const index = this.#indices.get(dependency);
      return index < flag.index ? this.#flagAt(index) : refuse(`a dependency on the later or missing flag ${dependency}`);
    });
    if (keys.at(-1) !== key) refuse(`the dependency chain to ${key}`);
    return test;
  }

  #member({ value, operator }, flag, scope, negation) {
    const test = new Test(COHORT, null, (operator === "not_in") !== Boolean(negation));
    const name = `${scope}\n${value}`;
    let node = this.#nodes.get(name);
    if (node === undefined) this.#nodes.set(name, (node = this.#node(this.#definitions.cohorts[value] ?? refuse(`the cohort ${value}`), flag, scope)));
    test.cohort = node;
    return test;
  }

  #node({ type, values }, flag, scope) {
    if (type !== "AND" && type !== "OR") refuse(`cohorts of type ${type}`);
    const nested = values.filter((value) => "values" in value).length;
    if (nested > 0 && nested < values.length) refuse("cohorts of groups and filters together");
    const members = values.map((value) => (nested > 0 ? this.#node(value, flag, scope) : this.#filter(value, flag, scope, value.negation)));
    return { all: type === "AND", members, epoch: 0, result: 0 };
  }

  #slot(scope, key) {
    let slots = this.#slots.get(scope);
    if (slots === undefined) this.#slots.set(scope, (slots = new Map()));
    let slot = slots.get(key);
    if (slot === undefined) slots.set(key, (slot = new Slot(scope, key)));
    return slot;
  }
}

function holdoutOf(holdout) {
  if (holdout === undefined || holdout === null) return null;
  return { value: `holdout-${holdout.id}`, prefix: new Prefix("holdout-"), share: holdout.exclusion_percentage / 100 };
}
