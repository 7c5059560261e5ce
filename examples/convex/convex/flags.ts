import { v } from "convex/values";
// In a project that `npx convex dev` knows: import { query } from "./_generated/server";
import { queryGeneric as query } from "convex/server";
import { Flagpost } from "flagpost/convex";

/** Whoever is logged in is asked about; for others the caller says who they are. */
export const flags = new Flagpost({
  identify: async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    return identity && { distinctId: identity.subject };
  },
});

const distinctId = v.optional(v.string());

// Queries for `useQuery`: they run again when the refresher has written new definitions. What is
// `undefined` here, because it cannot be decided, arrives as null.

export const isFeatureEnabled = query({
  args: { key: v.string(), distinctId },
  handler: (ctx, args) => flags.isFeatureEnabled(ctx, args),
});

export const getFeatureFlag = query({
  args: { key: v.string(), distinctId },
  handler: (ctx, args) => flags.getFeatureFlag(ctx, args),
});

export const getFeatureFlagPayload = query({
  args: { key: v.string(), distinctId },
  handler: (ctx, args) => flags.getFeatureFlagPayload(ctx, args),
});

export const getAllFlags = query({
  args: { distinctId },
  handler: (ctx, args) => flags.getAllFlags(ctx, args),
});

/**
 * Everything that is known of one flag, with the reason if it has no value. The user is JSON text, since
 * names in Convex's objects do not begin with `$`; in most projects it is made of what the database holds.
 */
export const explain = query({
  args: { key: v.string(), user: v.string() },
  handler: async (ctx, { key, user }) => {
    const { value, payload, reason } = (await flags.forUser(ctx, JSON.parse(user))).getFeatureFlagResult(key);
    return { value, payload, reason };
  },
});
