/** Small definitions for the tests, in PostHog's shape. */

/** A flag that is on for everybody its filters let in. */
export function flag(key, properties = [], more = {}) {
  return { key, active: true, filters: { groups: [{ properties, rollout_percentage: 100 }], ...more } };
}

export function filter(key, operator, value) {
  return { key, operator, value, type: "person" };
}

export function definitions(...flags) {
  return { flags, group_type_mapping: { 0: "company" }, cohorts: {} };
}

/** Definitions of a size at which parsing would be noticed. */
export function manyFlags(count) {
  return definitions(...Array.from({ length: count }, (_, index) => flag(`flag-${index}`)));
}

export function bytesOf(value) {
  return new TextEncoder().encode(JSON.stringify(value));
}
