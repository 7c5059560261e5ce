/**
 * posthog-node's public client, evaluating locally. Its definitions come from a cache provider that parses
 * stored text, as in PostHog's example for Workers KV: the cheapest way it has to load them.
 */
import { PostHog } from "posthog-node";

export const name = "posthog-node";
export const stored = "definitions";

export function open(text) {
  return new PostHog("phc_bench", {
    host: "http://127.0.0.1",
    strictLocalEvaluation: true,
    featureFlagsPollingInterval: null,
    flagDefinitionCacheProvider: {
      getFlagDefinitions: () => JSON.parse(text),
      shouldFetchFlagDefinitions: () => false,
      onFlagDefinitionsReceived: () => {},
      shutdown: () => {},
    },
  });
}

/** Resolves with the client once it has its definitions. */
export async function ready(client) {
  await client.waitForLocalEvaluationReady(10_000);
  return client;
}

/** A client without a timer and with nothing to send needs no farewell. */
export const close = () => {};

const options = ({ groups, personProperties, groupProperties }, flagKeys) => ({ groups, personProperties, groupProperties, flagKeys, onlyEvaluateLocally: true });

export const all = async (client, user, key) => (await object(client, user)).featureFlags[key];
export const some = (client, user, keys) => client.getAllFlagsAndPayloads(user.distinctId, options(user, keys));
export const object = (client, user) => client.getAllFlagsAndPayloads(user.distinctId, options(user));
export const one = async (client, user, key) => {
  const { groups, personProperties, groupProperties } = user;
  const result = await client.getFeatureFlagResult(key, user.distinctId, { groups, personProperties, groupProperties, onlyEvaluateLocally: true, sendFeatureFlagEvents: false });
  if (result === undefined) return { unresolved: true };
  const value = result.variant ?? result.enabled;
  return result.payload === undefined ? { value } : { value, payload: result.payload };
};

export async function answers(client, user) {
  const { unresolvedFlags } = await client.evaluateFlags(user.distinctId, options(user));
  return { ...(await object(client, user)), unresolved: { ...unresolvedFlags } };
}
