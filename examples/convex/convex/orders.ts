import { v } from "convex/values";
// In a project that `npx convex dev` knows: import { action, mutation } from "./_generated/server";
import { actionGeneric as action, mutationGeneric as mutation } from "convex/server";
import { flags } from "./flags";

/** A mutation decides by a flag in its own transaction. */
export const place = mutation({
  args: { item: v.string(), distinctId: v.string() },
  handler: async (ctx, { item, distinctId }) => {
    const redesigned = (await flags.isFeatureEnabled(ctx, { key: "checkout-redesign", distinctId })) ?? false;
    await ctx.db.insert("orders", { item, distinctId, redesigned });
    return redesigned;
  },
});

/** An action reads the snapshot once, however many flags it asks for. */
export const quote = action({
  args: { distinctId: v.string(), plan: v.string() },
  handler: async (ctx, { distinctId, plan }) => {
    const user = await flags.forUser(ctx, { distinctId, personProperties: { plan } });
    return {
      experiment: user.getFeatureFlag("pricing-experiment", "control"),
      coupon: user.getFeatureFlagPayload("first-order-coupon"),
      gift: user.isEnabled("gift-cards"),
    };
  },
});
