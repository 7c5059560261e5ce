/** Before anything is timed: do all contenders give posthog-node's answers? */
const REFERENCE = "posthog-node";
const SHOWN = 5;

/**
 * Every difference that is not listed here, in words; none is what lets the benchmark begin.
 *
 * @param {{contender: object, handle: object}[]} opened
 */
export async function agreement(opened, { definitions, keys, checked }) {
  const reference = opened.find(({ contender }) => contender.name === REFERENCE);
  const excused = excusedOfConvex(JSON.parse(definitions));
  const found = [];
  for (const [kind, users] of Object.entries(checked)) {
    for (const user of users) {
      const expected = await reference.contender.answers(reference.handle, user);
      for (const { contender, handle } of opened) {
        const convex = contender.name === "@posthog/convex";
        // It stops at the first filter that it cannot decide, so incomplete users get other answers.
        if (convex && kind === "sparse") continue;
        const actual = await contender.answers(handle, user);
        found.push(...notPlain(contender.name, await contender.object(handle, user)));
        const parts = convex ? ["featureFlags", "featureFlagPayloads"] : ["featureFlags", "featureFlagPayloads", "unresolved"];
        for (const part of parts) found.push(...differences(contender.name, part, expected[part], actual[part], convex ? excused : new Set()));
        for (const key of convex ? keys.filter((key) => !excused.has(key)) : keys) {
          found.push(...difference(contender.name, `asked for ${key} alone`, single(expected, key), single(asOne(key, await contender.one(handle, user, key)), key)));
        }
      }
    }
  }
  return found.length > SHOWN ? [...found.slice(0, SHOWN), `and ${found.length - SHOWN} more`] : found;
}

/** What was to be plain objects must be that: data that can be cloned, without accessors and proxies. */
function notPlain(name, { featureFlags, featureFlagPayloads }) {
  const accessor = (object) => Object.values(Object.getOwnPropertyDescriptors(object)).some((property) => !("value" in property));
  try {
    structuredClone([featureFlags, featureFlagPayloads]);
  } catch (error) {
    return [`${name}, plain object: ${error.message}`];
  }
  return accessor(featureFlags) || accessor(featureFlagPayloads) ? [`${name}, plain object: it has accessors`] : [];
}

/** Flags that @posthog/convex 2.1.5 answers in its own way: holdouts, `not_in`, and whatever asks about those. */
function excusedOfConvex({ flags }) {
  const excused = new Set();
  for (const { key, filters } of flags) {
    const asked = (filters.groups ?? []).flatMap(({ properties }) => properties ?? []);
    const own = filters.holdout || asked.some(({ type, operator }) => type === "cohort" && operator === "not_in");
    if (own || asked.some(({ type, dependency_chain: chain }) => type === "flag" && chain.some((dependency) => excused.has(dependency)))) excused.add(key);
  }
  return excused;
}

const asOne = (key, { value, payload }) => ({ featureFlags: value === undefined ? {} : { [key]: value }, featureFlagPayloads: payload ? { [key]: payload } : {} });
const single = ({ featureFlags, featureFlagPayloads }, key) => ({ value: featureFlags[key], payload: featureFlagPayloads[key] });

function differences(name, part, expected, actual, excused) {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].filter((key) => !excused.has(key)).flatMap((key) => difference(name, `${part} of ${key}`, expected[key], actual[key]));
}

function difference(name, what, expected, actual) {
  const [left, right] = [JSON.stringify(expected), JSON.stringify(actual)];
  return left === right ? [] : [`${name}, ${what}: ${shown(right)}, but ${REFERENCE} says ${shown(left)}`];
}

const shown = (text = "nothing") => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
