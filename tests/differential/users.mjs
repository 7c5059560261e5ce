/** Users who have something to do with the definitions they are asked about. */
import { PROPERTY_KEYS } from "./definitions.mjs";
import { related, textOf, userValue, USER_VALUE_KINDS } from "./values.mjs";

/**
 * @param {Array<{key: unknown, value: unknown, operator: unknown}>} filters  that the user may meet
 * @param {number} now the time of the evaluation
 */
export function anyUser(random, filters, now) {
  const user = { distinctId: anyId(random) };
  if (random.chance(0.95)) user.personProperties = someProperties(random, filters, now);
  if (random.chance(0.8)) {
    user.groups = {};
    if (random.chance(0.8)) user.groups.company = random.pick(["acme", "initech", "é", "5", ""]);
    if (random.chance(0.4)) user.groups.project = random.pick(["p1", "p2", 5, true]);
  }
  if (random.chance(0.7)) {
    user.groupProperties = {};
    for (const type of ["company", "project", "other"]) if (random.chance(0.6)) user.groupProperties[type] = someProperties(random, filters, now);
  }
  return user;
}

function anyId(random) {
  return random.one([20, () => `user-${random.below(100_000)}`], [1, () => random.pick(["", "é", "😀", "\ud800x", "a.b", " ", "0", 5, 1e21, -0, 1.5])]);
}

function someProperties(random, filters, now) {
  const properties = {};
  for (const key of PROPERTY_KEYS) {
    if (!random.chance(0.6)) continue;
    const met = filters.filter((filter) => filter.key === key);
    const value = met.length > 0 && random.chance(0.7) ? relatedValue(random, random.pick(met), now) : userValue(random, random.pick(USER_VALUE_KINDS));
    // By definition, because `properties.__proto__ = …` would not be a property.
    Object.defineProperty(properties, key, { value: key === "$device_id" ? deviceId(random, value) : value, enumerable: true, configurable: true, writable: true });
  }
  return properties;
}

function relatedValue(random, { value, operator }, now) {
  return related(random, value, textOf(operator || "exact"), now);
}

/** A device id, now and then empty. One that has no text is a documented difference. */
function deviceId(random, value) {
  if (random.chance(0.15)) return "";
  try {
    `${value}`.length;
    return value;
  } catch {
    return "device";
  }
}
