/** posthog-node, the evaluator whose answers ours must equal, asked through its public client. */
import { PostHog } from "posthog-node";

/**
 * @param {{host: string, projectKey: string, personalKey: string} | {definitions: string} | {provider: object}} source
 *   a server to load definitions from, or the definitions themselves as JSON text, or a provider of
 *   definitions for a client without credentials, which may ask nobody
 */
export function openReference(source) {
  const { host = "http://127.0.0.1", projectKey = "phc_reference", personalKey = "phx_reference", definitions, provider } = source;
  const client = new PostHog(projectKey, {
    host,
    strictLocalEvaluation: true,
    ...(provider === undefined ? { personalApiKey: personalKey } : { flagDefinitionCacheProvider: provider, fetch: refuse }),
    ...(definitions !== undefined && { fetch: async () => new Response(definitions) }),
  });
  const options = ({ groups, personProperties, groupProperties }, flagKeys) => ({ groups, personProperties, groupProperties, flagKeys, onlyEvaluateLocally: true });

  /** The answers for a user, all of them or those to `flagKeys`, in the shape of flagpost's `Answers`. */
  async function evaluate(user, flagKeys) {
    await calm(() => client.waitForLocalEvaluationReady(10_000));
    const answers = await client.getAllFlagsAndPayloads(user.distinctId, options(user, flagKeys));
    const { unresolvedFlags } = await client.evaluateFlags(user.distinctId, options(user, flagKeys));
    return { ...answers, unresolved: { ...unresolvedFlags } };
  }

  /** The answer to one flag, in the shape of flagpost's `evaluateFlag`. */
  async function evaluateFlag(key, user) {
    const { featureFlags, unresolved } = await evaluate(user, [key]);
    if (Object.hasOwn(unresolved, key)) return { unresolved: unresolved[key] };
    if (!Object.hasOwn(featureFlags, key)) return undefined;
    // Asked about one flag, the client also gives payloads that are falsy.
    const { payload } = await client.getFeatureFlagResult(key, user.distinctId, { ...options(user), sendFeatureFlagEvents: false });
    return payload === undefined ? { value: featureFlags[key] } : { value: featureFlags[key], payload };
  }

  /** `evaluateFlag` for an empty distinct id, which the evaluator takes and the public client does not. */
  async function evaluateFlagOfNobody(key, { groups = {}, personProperties, groupProperties }) {
    await calm(() => client.waitForLocalEvaluationReady(10_000));
    const evaluator = client.featureFlagsPoller;
    const completed = Object.fromEntries(Object.entries(groups).map(([type, id]) => [type, { $group_key: id, ...groupProperties?.[type] }]));
    const context = evaluator.createEvaluationContext("", groups, { distinct_id: "", ...personProperties }, completed);
    const { response, payloads, unresolved } = await evaluator.getAllFlagsAndPayloads(context, [key]);
    if (Object.hasOwn(unresolved, key)) return { unresolved: unresolved[key] };
    if (!Object.hasOwn(response, key)) return undefined;
    return Object.hasOwn(payloads, key) ? { value: response[key], payload: payloads[key] } : { value: response[key] };
  }

  return {
    client,
    evaluate,
    evaluateFlag: (key, user) => (user.distinctId === "" ? evaluateFlagOfNobody(key, user) : evaluateFlag(key, user)),
    close: () => client.shutdown(2000),
  };
}

async function refuse(url) {
  throw new Error(`${new URL(url).pathname} was asked of a server`);
}

/** Runs `load` without the advice that posthog-node prints about flags it cannot decide locally. */
export async function calm(load) {
  const warn = console.warn;
  console.warn = (...parts) => {
    if (!String(parts[0]).startsWith("[PostHog] You are using local evaluation")) warn(...parts);
  };
  try {
    await load();
  } finally {
    console.warn = warn;
  }
}
