/**
 * posthog-node's evaluator, below its public client: vectors hold the context as the evaluator sees
 * it, and the client would complete it first.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { calm } from "../support/reference.mjs";

/** The versions whose answers the vectors are. */
export const REFERENCE = { "posthog-node": "5.70.0", "@posthog/core": "1.67.3" };

const entry = createRequire(import.meta.url).resolve("posthog-node");
const core = createRequire(entry).resolve("@posthog/core");

/** Throws unless what is installed is `wanted`. */
export function requireReference(wanted = REFERENCE) {
  for (const [name, from] of [["posthog-node", entry], ["@posthog/core", core]]) {
    const { version } = JSON.parse(readFileSync(join(rootOf(from), "package.json"), "utf8"));
    if (version !== wanted[name]) {
      throw new Error(`the expected answers are those of ${name} ${wanted[name]}, but ${version} is installed; a change of the reference changes REFERENCE in evaluator.mjs first`);
    }
  }
}

function rootOf(file) {
  const folder = dirname(file);
  const manifest = join(folder, "package.json");
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name ? folder : rootOf(folder);
}

const { FeatureFlagsPoller } = await import(pathToFileURL(join(rootOf(entry), "dist/extensions/feature-flags/feature-flags.mjs")).href);

/** More flags than any vector computes for one answer. */
const MAX_COMPUTED = 1000;

/** posthog-node follows a cycle of flags for ever, without ever giving way to a timer. */
class BoundedPoller extends FeatureFlagsPoller {
  computed = 0;

  computeFlagValueLocally(...args) {
    this.computed += 1;
    if (this.computed > MAX_COMPUTED) throw new Error("stopped");
    return super.computeFlagValueLocally(...args);
  }
}

/** The share, from 0 to 1, into which posthog-node hashes. */
export const { getFeatureFlagHash } = createRequire(entry)("@posthog/core");

/**
 * @param {string} definitions JSON text
 * @returns a function that asks for one flag of one user, and answers in the shape of a vector's
 *   `expected`; it throws where posthog-node fails with anything but a reason
 */
export async function openEvaluator(definitions) {
  const poller = new BoundedPoller({
    pollingInterval: null,
    personalApiKey: "phx_reference",
    projectApiKey: "phc_reference",
    host: "http://127.0.0.1",
    fetch: async () => new Response(definitions),
    onError: (error) => {
      throw error;
    },
  });
  await calm(() => poller.loadFeatureFlags(true));
  if (!poller.loadedSuccessfullyOnce) throw new Error("posthog-node does not load these definitions");

  return async (key, { distinctId, groups, personProperties, groupProperties }) => {
    if (!Object.hasOwn(poller.featureFlagsByKey, key)) return { status: "unknown_flag" };
    const context = poller.createEvaluationContext(distinctId, groups, personProperties, groupProperties);
    poller.computed = 0;
    try {
      const { value, payload } = await poller.computeFlagAndPayloadLocally(poller.featureFlagsByKey[key], context);
      return payload === null || payload === undefined ? { status: "value", value } : { status: "value", value, payload };
    } catch (error) {
      if (poller.computed > MAX_COMPUTED) throw new Error("posthog-node never returns: the flags depend on each other in a cycle");
      if (typeof error.reason !== "string") throw error;
      return { status: "inconclusive", reason: error.reason };
    }
  };
}
