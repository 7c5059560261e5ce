/**
 * posthog-node's evaluator with switches: each rule that is on is followed as @posthog/convex follows
 * it. With no rule on it must answer as posthog-node, with all as @posthog/convex; `convex.mjs` holds
 * it to both on every case. What a single rule changes is then known by turning it on or off.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { importConvex } from "./convex-answers.mjs";
import { completedGroups, completedPerson } from "./reference.mjs";

const REGEX_MARK = Symbol.for("posthog.requiresServerRegexEvaluation");
const node = createRequire(import.meta.url).resolve("posthog-node");
// The matcher and the hash that both packages take from here.
const core = createRequire(node).resolve("@posthog/core");
const { assertFeatureFlagFilterSupported, getFeatureFlagHash, getFeatureFlagVariant, getHoldoutVariant, matchFeatureFlagProperty, resolveFeatureFlagPayload } = (await import(pathToFileURL(core).href)).default;
const { matchProperty: convexMatchProperty } = await importConvex("match-property.js");

/** Recorded, and evaluation goes on. `regex` is the mark of a pattern that engines read differently. */
class Soft extends Error {
  constructor(regex = false) {
    super("undecided");
    this.regex = regex;
  }
}
/** Ends the flag: only the server can tell. */
class Hard extends Error {}

/**
 * @param {{text: string, contexts?: string[]}} definitions
 * @param {Set<string>} rules the ids that are followed as @posthog/convex does
 * @returns {(key: string, user: object) => Promise<object>} the answer for one flag
 */
export function openModel({ text, contexts }, rules) {
  const like = (rule) => rules.has(rule);
  const raw = JSON.parse(text);
  const types = raw.group_type_mapping ?? raw.groupTypeMapping ?? {};
  const version = raw.property_matching_version ?? raw.propertyMatchingVersion;
  const cohorts = cohortsOf(raw.cohorts, like);
  const given = raw.flags ?? [];
  const flags = contexts && !like("evaluation-contexts") ? given.filter((flag) => isInContext(flag, new Set(contexts))) : given;
  const byKey = keyed(flags);
  const removed = new Set(given.map((flag) => flag.key).filter((key) => !flags.some((flag) => flag.key === key)));

  async function answer(key, user) {
    const flag = Object.hasOwn(byKey, key) ? byKey[key] : undefined;
    if (flag === undefined) return { undecided: true };
    const context = {
      distinctId: user.distinctId,
      groups: user.groups ?? {},
      person: like("distinct-id-property") ? (user.personProperties ?? {}) : completedPerson(user),
      groupProperties: groupPropertiesOf(user),
      cache: {},
    };
    try {
      const value = await valueOf(flag, context);
      const payload = resolveFeatureFlagPayload(flag.filters?.payloads, value);
      return payload === undefined || payload === null ? { value } : { value, payload };
    } catch (error) {
      return error instanceof Soft || error instanceof Hard ? { undecided: true } : { threw: true };
    }
  }

  function groupPropertiesOf(user) {
    const completed = like("group-key-property") ? ownGroups(user) : completedGroups(user);
    if (like("group-without-properties")) for (const type of Object.keys(completed)) if (!Object.hasOwn(user.groupProperties ?? {}, type)) delete completed[type];
    return completed;
  }

  async function valueOf(flag, context) {
    if (!flag.active) return false;
    if (flag.ensure_experience_continuity) throw new Soft();
    const index = (flag.filters || {}).aggregation_group_type_index;
    if (index !== undefined && index !== null) {
      const type = types[String(index)];
      if (!type) throw new Soft();
      if (!(type in context.groups)) return false;
      return conditionsOf(flag, context.groups[type], context.groupProperties[type], context);
    }
    if (flag.bucketing_identifier !== "device_id") return conditionsOf(flag, context.distinctId, context.person, context);
    const device = context.person.$device_id;
    if (device === undefined || device === null || device === "") {
      if (!like("reason-exception")) hasUnsupportedFilter(flag);
      throw new Soft();
    }
    return conditionsOf(flag, device, context.person, context);
  }

  /** What posthog-node asks to find a reason. Here it matters only in that it may throw. */
  function hasUnsupportedFilter(flag) {
    return ((flag.filters || {}).groups || []).some((condition) => (condition.properties || []).some((filter) => isUnsupported(filter, new Set())));
  }

  function isUnsupported(filter, visited) {
    if (filter.type === "flag") {
      const chain = filter.dependency_chain;
      return !Array.isArray(chain) || chain.length === 0 || chain.some((key) => !byKey[key] && !removed.has(key));
    }
    if (filter.type === "cohort") {
      const id = String(filter.value);
      if (!(id in cohorts)) return true;
      if (visited.has(id)) return false;
      visited.add(id);
      return isUnsupportedGroup(cohorts[id], visited);
    }
    try {
      assertFeatureFlagFilterSupported(filter);
      return false;
    } catch (error) {
      if (error.name === "InconclusiveMatchError") return true;
      throw error;
    }
  }

  function isUnsupportedGroup(group, visited) {
    return (group?.values ?? []).some((member) => ("values" in member ? isUnsupportedGroup(member, visited) : isUnsupported(member, visited)));
  }

  async function conditionsOf(flag, bucketing, properties, context) {
    const filters = flag.filters || {};
    if (!like("holdouts")) {
      const heldOut = await getHoldoutVariant(filters.holdout, bucketing);
      if (heldOut !== undefined) return heldOut;
    }
    const earlyExit = !like("early-exit") && (filters.early_exit ?? false);
    const variants = () => filters.multivariate?.variants || [];
    const variantOf = async (condition, id) => (condition.variant && variants().some(({ key }) => key === condition.variant) ? condition.variant : (await getFeatureFlagVariant(flag.key, id, variants())) || true);
    const deferred = new Set();
    let undecided = false;
    let regex = false;
    let result;
    for (const condition of filters.groups || []) {
      let scope = { properties, bucketing };
      try {
        scope = scopeOf(condition, filters, scope, context);
        if (!scope) continue;
        const outcome = await conditionOf(flag, scope, condition, context);
        if (outcome === "match") {
          result = await variantOf(condition, scope.bucketing);
          break;
        }
        if (earlyExit && outcome === "out of rollout") {
          if (undecided) break;
          return false;
        }
      } catch (error) {
        if (!(error instanceof Soft)) throw error;
        undecided = true;
        if (!error.regex || like("regex-deferral")) continue;
        regex = true;
        const isOut = earlyExit && isSet(condition.rollout_percentage) && (await getFeatureFlagHash(flag.key, scope.bucketing)) > condition.rollout_percentage / 100;
        deferred.add(isOut ? false : await variantOf(condition, scope.bucketing));
      }
    }
    if (result !== undefined && ![...deferred].some((value) => value !== result)) return result;
    if (undecided) throw new Soft(regex);
    return false;
  }

  /** Whose properties and id a condition reads; undefined when it is to be skipped. */
  function scopeOf(condition, filters, scope, { groups, groupProperties }) {
    const own = condition.aggregation_group_type_index;
    if (own === undefined || own === filters.aggregation_group_type_index || own === null) return scope;
    const type = types[String(own)];
    if (!type || !(type in groups)) return undefined;
    if (!(type in groupProperties)) throw new Soft();
    return { properties: groupProperties[type], bucketing: groups[type] };
  }

  async function conditionOf(flag, { properties, bucketing }, condition, context) {
    let first;
    let regex = false;
    if ((condition.properties || []).length > 0) {
      for (const filter of condition.properties) {
        const { type } = filter;
        let matches;
        try {
          if (type === "cohort") matches = await cohortOf(filter, properties, context);
          else if (type === "flag") matches = await dependencyOf(filter, context);
          else matches = propertyOf(filter, properties);
        } catch (error) {
          if (like("first-undecided-filter")) throw error;
          if (!(error instanceof Soft || error instanceof Hard)) {
            if (first) break;
            throw error;
          }
          first ??= error;
          regex ||= Boolean(error.regex);
          continue;
        }
        if (like("condition-negation") && filter.negation) matches = !matches;
        if (!matches) return "no match";
      }
      if (first instanceof Hard) throw first;
      if (first) throw new Soft(regex);
    }
    const share = condition.rollout_percentage;
    return isSet(share) && (await getFeatureFlagHash(flag.key, bucketing)) > share / 100 ? "out of rollout" : "match";
  }

  function propertyOf(filter, properties) {
    const permissive = like(filter.operator === "semver_wildcard" ? "semver-wildcard" : "semver-leading-zeros");
    try {
      return permissive ? convexMatchProperty(filter, properties, undefined, version) : matchFeatureFlagProperty(filter, properties, { propertyMatchingVersion: version });
    } catch (error) {
      throw error.name === "InconclusiveMatchError" ? new Soft(REGEX_MARK in error) : error;
    }
  }

  async function cohortOf(filter, properties, context) {
    const id = String(filter.value);
    if (!(id in cohorts)) throw new Hard();
    const isMember = await groupOf(cohorts[id], properties, context);
    return filter.operator === "not_in" && !like("cohort-not-in") ? !isMember : isMember;
  }

  async function groupOf(group, properties, context) {
    if (!group || Object.keys(group).length === 0) return true;
    const isAnd = combinesByAnd(group);
    const { values } = group;
    if (!values || values.length === 0) return isAnd || like("cohort-empty-or");
    const areGroups = "values" in values[0];
    let undecided;
    for (const member of values) {
      try {
        const holds = areGroups ? await groupOf(member, properties, context) : await memberOf(member, properties, context);
        if (holds !== isAnd) return !isAnd;
      } catch (error) {
        if (!(error instanceof Soft)) throw error;
        undecided = new Soft(undecided?.regex || error.regex);
      }
    }
    if (undecided) throw undecided;
    return isAnd;
  }

  function combinesByAnd({ type }) {
    if (type === "AND" || type === "OR") return type === "AND";
    if (type === "property") return !like("cohort-type-property");
    if (like("cohort-type-unknown")) return false;
    // posthog-node's complaint holds the type's text, which an object may not have.
    throw new Hard(`${type}`);
  }

  async function memberOf(filter, properties, context) {
    let matches;
    if (filter.type === "cohort") matches = await cohortOf(filter, properties, context);
    else if (filter.type !== "flag") matches = propertyOf(filter, properties);
    else if (like("cohort-dependency")) throw new Soft();
    else matches = await dependencyOf(filter, context);
    return Boolean(matches) !== Boolean(filter.negation);
  }

  async function dependencyOf(filter, context) {
    if (!("dependency_chain" in filter)) throw new Soft();
    const { cache } = context;
    const chain = filter.dependency_chain;
    if (!Array.isArray(chain) || chain.length === 0) throw new Soft();
    const isMissing = (key) => !(key in cache) && !byKey[key] && !removed.has(key);
    if (!like("dependency-missing-late") && chain.some(isMissing)) throw new Soft();
    for (const key of chain) {
      if (!(key in cache)) {
        if (isMissing(key)) throw new Soft();
        cache[key] = byKey[key]?.active ? await dependedOn(byKey[key], context) : false;
      }
      if (!isSet(cache[key])) throw new Soft();
    }
    const { value: wanted } = filter;
    const got = cache[filter.key];
    if (typeof wanted === "boolean") return wanted === got || (typeof got === "string" && got !== "" && wanted);
    return typeof wanted === "string" && wanted === got;
  }

  async function dependedOn(flag, context) {
    try {
      return await valueOf(flag, context);
    } catch (error) {
      throw error instanceof Hard && !like("dependency-undecidable") ? error : new Soft(Boolean(error.regex));
    }
  }

  return answer;
}

const isSet = (value) => value !== undefined && value !== null;

/** A map of properties for every group, without `$group_key`. */
function ownGroups({ groups, groupProperties }) {
  return Object.fromEntries(Object.keys(groups ?? {}).map((type) => [type, { ...groupProperties?.[type] }]));
}

function keyed(flags) {
  const byKey = {};
  for (const flag of flags) byKey[flag.key] = flag;
  return byKey;
}

function isInContext(flag, wanted) {
  const tags = flag.evaluation_contexts ?? flag.evaluation_tags;
  return !tags || tags.length === 0 || tags.some((tag) => wanted.has(tag));
}

/** posthog-node takes those that are falsy for empty. */
function cohortsOf(cohorts, like) {
  return like("cohorts-false") ? (cohorts ?? {}) : cohorts || {};
}
