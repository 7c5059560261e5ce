/** What definitions, or parts of them, refer to, wherever inside it stands. */
import { textOf } from "./values.mjs";

/** The objects inside a JSON value that are wanted, the outer before the inner. */
export function objectsIn(value, isWanted, found = []) {
  if (typeof value !== "object" || value === null) return found;
  if (isWanted(value)) found.push(value);
  for (const member of Object.values(value)) objectsIn(member, isWanted, found);
  return found;
}

/** Dependencies on flags: `{key, chain}`, texts. */
export function dependenciesIn(value) {
  return objectsIn(value, (object) => Array.isArray(object.dependency_chain)).map(({ key, dependency_chain: chain }) => ({ key: textOf(key), chain: chain.map(textOf) }));
}

/** The ids of cohorts that filters name. */
export function cohortsIn(value) {
  return objectsIn(value, ({ type }) => type === "cohort").map((filter) => textOf(filter.value));
}
