/**
 * posthog-node 5.70.0 below its public client: the poller that evaluates, one flag or all of them,
 * and tells an exception from "the server must decide". It is asked at any time of day.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export const PINNED = "5.70.0";
const require = createRequire(import.meta.url);
const entry = require.resolve("posthog-node");
const folder = entry.slice(0, entry.lastIndexOf("posthog-node") + "posthog-node".length);
const { version } = require(`${folder}/package.json`);
if (version !== PINNED) throw new Error(`the reference is posthog-node ${PINNED}, but ${version} is installed: run npm ci`);
const { FeatureFlagsPoller } = await import(pathToFileURL(`${folder}/dist/extensions/feature-flags/feature-flags.mjs`).href);

const RealDate = Date;

/** Runs `work` at a time: `new Date()` and `Date.now()` are `now`. */
export async function at(now, work) {
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now] : args, made),
    get: (target, name) => (name === "now" ? () => now : Reflect.get(target, name)),
  });
  try {
    return await work();
  } finally {
    globalThis.Date = RealDate;
  }
}

/**
 * @param {{text: string, contexts?: string[], fromCache?: boolean}} definitions `fromCache`: from a cache
 *   provider and not from a response; by itself when they have names that only caches use
 * @returns undefined when the reference cannot load these definitions
 */
export async function openEvaluator({ text, contexts, fromCache = /"(groupTypeMapping|propertyMatchingVersion)":/.test(text) }) {
  const poller = new FeatureFlagsPoller({
    pollingInterval: null, projectApiKey: "phc_reference", timeout: 1000, host: "http://127.0.0.1",
    onError: () => {},
    strictLocalEvaluation: true,
    evaluationContexts: contexts,
    ...(fromCache ? cacheOf(text) : { personalApiKey: "phx_reference", fetch: async () => new Response(text) }),
  });
  await poller.loadFeatureFlags(true);
  clearTimeout(poller.poller);
  if (!poller.loadedSuccessfullyOnce) return undefined;

  const contextOf = (user) => poller.createEvaluationContext(user.distinctId, user.groups ?? {}, completedPerson(user), completedGroups(user));
  return {
    /** In the order of the definitions, which a JavaScript object does not keep. */
    keys: [...new Set(poller.featureFlags.map((flag) => String(flag.key)))],

    /** One flag: `{value, payload?}`, `{unresolved}` or `{threw}`. */
    async one(key, user) {
      try {
        const { value, payload } = await poller.computeFlagAndPayloadLocally(poller.featureFlagsByKey[key], contextOf(user));
        return payload === undefined || payload === null ? { value } : { value, payload };
      } catch (error) {
        return error.reason ? { unresolved: error.reason } : { threw: String(error) };
      }
    },

    /** All flags: `{featureFlags, featureFlagPayloads, unresolved, threw}`, `threw` a number of flags. */
    async all(user) {
      let threw = 0;
      poller.onError = () => (threw += 1);
      const { response, payloads, unresolved } = await poller.getAllFlagsAndPayloads(contextOf(user));
      poller.onError = () => {};
      return { featureFlags: response, featureFlagPayloads: payloads, unresolved, threw };
    },
  };
}

/** posthog-node never writes a cache without cohorts. */
function cacheOf(text) {
  return { cacheProvider: { getFlagDefinitions: () => ({ ...JSON.parse(text), cohorts: JSON.parse(text).cohorts || {} }), shouldFetchFlagDefinitions: () => false, onFlagDefinitionsReceived: () => {}, shutdown: () => {} } };
}

/** What the public client adds before it asks the poller. */
export function completedPerson({ distinctId, personProperties }) {
  return { distinct_id: distinctId, ...personProperties };
}

export function completedGroups({ groups, groupProperties }) {
  return Object.fromEntries(Object.entries(groups ?? {}).map(([type, key]) => [type, { $group_key: key, ...groupProperties?.[type] }]));
}
