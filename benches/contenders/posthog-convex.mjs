/** @posthog/convex's evaluator, from the row that its component keeps in Convex. */
import { LocalFeatureFlagEvaluator } from "../../node_modules/@posthog/convex/dist/client/feature-flags/evaluator.js";

export const name = "@posthog/convex";
export const stored = "row";

export const open = (row) => new LocalFeatureFlagEvaluator(JSON.parse(row));
export const ready = (evaluator) => evaluator;
export const close = () => {};

const properties = ({ distinctId, personProperties }) => ({ distinct_id: distinctId, ...personProperties });

export const all = async (evaluator, user, key) => (await object(evaluator, user)).featureFlags[key];
export const some = (evaluator, user, keys) => evaluator.getAllFlagsAndPayloads(user.distinctId, user.groups, properties(user), user.groupProperties, keys);
export const object = (evaluator, user) => some(evaluator, user);
export const one = async (evaluator, user, key) => {
  const result = await evaluator.getFeatureFlagResult(key, user.distinctId, user.groups, properties(user), user.groupProperties);
  if (result === undefined) return { unresolved: true };
  return result.payload === null ? { value: result.value } : result;
};
export const answers = object;
