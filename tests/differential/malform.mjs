/** Spoils definitions: members that are missing, of another type, or somebody else's. */
import { cohortsIn, dependenciesIn } from "./references.mjs";
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
 * cohorts that lead back to themselves, a name that every object has and that nobody defined.
 */
export function isComparable(definitions) {
  return Array.isArray(definitions.flags) && !hasCycle(definitions) && !hasInheritedName(definitions);
}

function hasInheritedName({ flags, cohorts, group_type_mapping: types }) {
  const dependencies = dependenciesIn([flags, cohorts]);
  const absent = cohortsIn([flags, cohorts]).filter((id) => !Object.hasOwn(cohorts ?? {}, id));
  // A flag "__proto__" would be the prototype of the reference's table of flags.
  const keys = flags.map((flag) => flag?.key).filter((key) => key === "__proto__");
  return [...keys, ...absent, ...dependencies.flatMap(({ key, chain }) => [key, ...chain]), ...Object.values(types ?? {})].some((name) => typeof name === "string" && name in {});
}

function hasCycle({ flags, cohorts }) {
  const edges = new Map();
  const add = (name, value) => {
    const references = [...dependenciesIn(value).flatMap(({ chain }) => chain.map((key) => `flag:${key}`)), ...cohortsIn(value).map((id) => `cohort:${id}`)];
    edges.set(name, [...(edges.get(name) ?? []), ...references]);
  };
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
