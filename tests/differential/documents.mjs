/**
 * A document: definitions with users to ask them for. Its seed and number make it, so that any one
 * can be made again alone.
 */
import { anyDefinitions, propertyFilter } from "./definitions.mjs";
import { isComparable, malformed } from "./malform.mjs";
import { randomOf } from "./random.mjs";
import { objectsIn } from "./references.mjs";
import { anyUser } from "./users.mjs";
import { related, textOf, USER_VALUE_KINDS, userValue } from "./values.mjs";

export const TOPICS = ["filters", "flags", "malformed"];
const DAY = 86_400_000;

/**
 * @returns {{topic: string, definitions: object, contexts: string[] | undefined, now: number, users: object[]}}
 */
export function documentOf(seed, number) {
  for (let attempt = 0; ; attempt += 1) {
    const random = randomOf(seed, number, attempt);
    const topic = TOPICS[number % TOPICS.length];
    const now = anyTime(random);
    const document = { topic, now, contexts: random.chance(0.2) ? random.pick([["web"], ["server", "edge"]]) : undefined, ...MAKERS[topic](random, now) };
    if (isComparable(document.definitions)) return document;
  }
}

/** Now and then the end of a month, 29 February most of all, where going back by months is delicate. */
function anyTime(random) {
  const monthEnd = () => Date.UTC(random.pick([2023, 2024, 2028]), random.pick([1, 2, 2, 3, 5, 8, 12]), 0) - random.below(2) * DAY + random.below(DAY);
  const leapDay = () => Date.UTC(random.pick([2024, 2028]), 1, 29) + random.below(DAY);
  return random.one([2, monthEnd], [2, leapDay], [4, () => Date.UTC(2024, 5, 12, 10, 30) + random.below(400) * DAY + random.below(DAY)]);
}

/** One filter a flag and one property to each: which operator meets which value can be counted. */
function filterDefinitions(random, now) {
  const flags = random.many(16, (index) => ({ key: `filter-${index}`, active: true, filters: { groups: [{ properties: [{ ...propertyFilter(random, `p${index}`), type: "person" }], rollout_percentage: 100 }] } }));
  const filters = flags.map((flag) => flag.filters.groups[0].properties[0]);
  const users = random.many(2, () => ({
    distinctId: "user",
    personProperties: Object.fromEntries(filters.filter(() => random.chance(0.95)).map(({ key, value, operator }) => [key, random.chance(0.5) ? related(random, value, textOf(operator || "exact"), now) : userValue(random, random.pick(USER_VALUE_KINDS))])),
  }));
  return { definitions: { flags, cohorts: {}, group_type_mapping: {}, property_matching_version: random.pick([1, 2, 2]) }, users };
}

function flagDefinitions(random, now, spoiled = false) {
  const definitions = spoiled ? malformed(random, anyDefinitions(random)) : anyDefinitions(random);
  const filters = objectsIn(definitions, (object) => "operator" in object && "key" in object);
  return { definitions, users: random.many(3, () => anyUser(random, filters, now)) };
}

const MAKERS = {
  filters: filterDefinitions,
  flags: flagDefinitions,
  malformed: (random, now) => flagDefinitions(random, now, true),
};
