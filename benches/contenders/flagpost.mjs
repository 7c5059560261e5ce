/** Flagpost from a snapshot, through its public functions. */
import { evaluate, evaluateFlag, load } from "flagpost";

export const name = "flagpost";
export const stored = "snapshot";

export const open = (bytes) => load(bytes);
export const ready = (definitions) => definitions;
export const close = (definitions) => definitions.free();

export const all = (definitions, user, key) => evaluate(definitions, user).featureFlags[key];
export const one = (definitions, user, key) => evaluateFlag(definitions, key, user);
export const some = (definitions, user, keys) => objects(evaluate(definitions, user, { flagKeys: keys }));
export const object = (definitions, user) => objects(evaluate(definitions, user));

/** Reading the members is all that it takes: agreement.mjs checks that they are plain objects. */
const objects = ({ featureFlags, featureFlagPayloads }) => ({ featureFlags, featureFlagPayloads });

/** Everything there is to compare with the others. */
export function answers(definitions, user) {
  const { featureFlags, featureFlagPayloads, unresolved } = evaluate(definitions, user);
  return { featureFlags, featureFlagPayloads, unresolved };
}
