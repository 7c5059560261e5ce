/** Spoils definitions: members that are missing, of another type, or somebody else's. */
import { textOf } from "./values.mjs";

const ODD = [null, 0, 5, -1, 1.5, "", "x", "true", true, false, [], {}, [null], [[]], { length: 2 }, { values: [] }, [5], "5", { toString: 1 }, ["x"], { length: 0 }];

/** Spoils between one and four places anywhere inside the flags, the cohorts and the rest. */
export function malformed(random, definitions) {
  for (let left = random.between(1, 4); left > 0; left -= 1) spoil(random, definitions);
  return definitions;
}

function spoil(random, definitions) {
  const places = placesIn(definitions);
  const { holder, key } = random.pick(places);
  random.one(
    [6, () => (holder[key] = structuredClone(random.pick(ODD)))],
    [2, () => (Array.isArray(holder) ? holder.splice(key, 1) : delete holder[key])],
    [1, () => Array.isArray(holder) && holder.splice(key, 0, structuredClone(random.pick(ODD)))],
    [2, () => {
      const other = random.pick(places);
      holder[key] = structuredClone(other.holder[other.key]);
    }],
  );
}

/** Every member that may be spoiled, `flags` itself excepted: without a list of flags nothing is loaded. */
function placesIn(definitions) {
  const places = [];
  const visit = (holder) => {
    for (const key of Object.keys(holder)) {
      if (key !== "flags") places.push({ holder, key });
      if (typeof holder[key] === "object" && holder[key] !== null) visit(holder[key]);
    }
  };
  visit(definitions);
  return places;
}

/**
 * Whether posthog-node can be asked at all, and where the documented differences begin: flags or
 * cohorts that lead back to themselves, a name that every object has.
 */
export function isComparable(definitions) {
  return Array.isArray(definitions.flags) && !hasCycle(definitions) && !hasInheritedName(definitions);
}

function hasInheritedName({ flags, cohorts, group_type_mapping: types }) {
  const named = [...flags.map((flag) => flag?.key), ...Object.keys(cohorts ?? {}), ...Object.values(types ?? {}), ...mentioned(flags), ...mentioned(cohorts)];
  return named.some((name) => typeof name === "string" && name in {});
}

/** Names of flags and cohorts that filters anywhere inside refer to. */
function mentioned(value) {
  return referencesIn(value).map((reference) => reference.slice(reference.indexOf(":") + 1));
}

function referencesIn(value, found = []) {
  if (typeof value !== "object" || value === null) return found;
  if (Array.isArray(value.dependency_chain)) found.push(...value.dependency_chain.map((key) => `flag:${textOf(key)}`));
  if (value.type === "cohort") found.push(`cohort:${textOf(value.value)}`);
  for (const member of Object.values(value)) referencesIn(member, found);
  return found;
}

function hasCycle({ flags, cohorts }) {
  const edges = new Map();
  const add = (name, value) => edges.set(name, [...(edges.get(name) ?? []), ...referencesIn(value)]);
  for (const flag of flags) add(`flag:${textOf(flag?.key)}`, flag);
  for (const [id, cohort] of Object.entries(cohorts ?? {})) add(`cohort:${id}`, cohort);
  const state = new Map();
  const leadsBack = (name) => {
    if (state.has(name)) return state.get(name) === "open";
    state.set(name, "open");
    const found = (edges.get(name) ?? []).some(leadsBack);
    state.set(name, "done");
    return found;
  };
  return [...edges.keys()].some(leadsBack);
}
