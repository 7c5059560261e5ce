import { ConvexError, v } from "convex/values";
// In a project that `npx convex dev` knows: import { query } from "./_generated/server";
import { queryGeneric as query } from "convex/server";
import { evaluateFlag, load } from "flagpost";
import { readSnapshot } from "flagpost/convex";

/**
 * Answers one flag: `{ value, payload? }`, or `{ unresolved }` with the reason; null if there is no
 * such flag. The user is JSON text here so that anybody can be asked about, because names in Convex's
 * objects do not begin with `$`; most projects make the user from what they know of who is logged in.
 */
export const answer = query({
  args: { flag: v.string(), user: v.string() },
  handler: async (ctx, { flag, user }) => {
    const snapshot = await readSnapshot(ctx);
    if (snapshot === null) throw new ConvexError("no flags yet: run `refresher run --store convex:`");
    const definitions = load(snapshot.bytes);
    try {
      return evaluateFlag(definitions, flag, JSON.parse(user)) ?? null;
    } finally {
      definitions.free();
    }
  },
});
