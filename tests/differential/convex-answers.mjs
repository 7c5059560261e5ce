/**
 * @posthog/convex 2.1.5: its evaluator, asked as its client asks it, with the definitions as its
 * component stores them and the user's properties as the caller gave them.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export const PINNED_CONVEX = "2.1.5";
const manifest = createRequire(import.meta.url).resolve("@posthog/convex/package.json");
const { version } = createRequire(import.meta.url)(manifest);
if (version !== PINNED_CONVEX) throw new Error(`what is documented is @posthog/convex ${PINNED_CONVEX}, but ${version} is installed: run npm ci`);

/** A module of its evaluator, which the package does not export by name. */
export const importConvex = (file) => import(new URL(`dist/client/feature-flags/${file}`, pathToFileURL(manifest)).href);
const { LocalFeatureFlagEvaluator } = await importConvex("evaluator.js");

/** An answer without a value is `undefined` there; an exception rejects the promise. */
export function openConvex(text) {
  const raw = JSON.parse(text);
  const evaluator = new LocalFeatureFlagEvaluator({
    flags: raw.flags ?? [],
    groupTypeMapping: raw.group_type_mapping ?? raw.groupTypeMapping ?? {},
    cohorts: raw.cohorts ?? {},
    propertyMatchingVersion: raw.property_matching_version ?? raw.propertyMatchingVersion,
  });
  const asked = ({ distinctId, groups, personProperties, groupProperties }) => [distinctId, groups ?? {}, personProperties ?? {}, groupProperties ?? {}];
  return {
    keys: [...new Set((raw.flags ?? []).map((flag) => String(flag.key)))],

    /** One flag: `{value, payload?}`, `{undecided}` or `{threw}`. */
    async one(key, user) {
      try {
        const result = await evaluator.getFeatureFlagResult(key, ...asked(user));
        if (result === undefined) return { undecided: true };
        const { value, payload } = result;
        return payload === undefined || payload === null ? { value } : { value, payload };
      } catch {
        return { threw: true };
      }
    },

    /** All flags: `{featureFlags, featureFlagPayloads}`, or undefined when the call rejects. */
    async all(user) {
      try {
        return await evaluator.getAllFlagsAndPayloads(...asked(user));
      } catch {
        return undefined;
      }
    },
  };
}
