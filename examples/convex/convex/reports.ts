"use node";

import { v } from "convex/values";
// In a project that `npx convex dev` knows: import { action } from "./_generated/server";
import { actionGeneric as action } from "convex/server";
import { flags } from "./flags";

/** The same in Node's runtime, for actions that use packages which need it. */
export const features = action({
  args: { distinctId: v.string() },
  handler: async (ctx, args) => {
    const { featureFlags, featureFlagPayloads } = await flags.getAllFlagsAndPayloads(ctx, args);
    return Object.entries(featureFlags)
      .filter(([, value]) => value !== false)
      .map(([key, value]) => ({ key, value, payload: featureFlagPayloads[key] ?? null }));
  },
});
