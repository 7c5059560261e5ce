/** Where completing the user could change an answer, and what posthog-node's client answers then. */
import { openReference } from "../support/reference.mjs";
import { atTime } from "./clock.mjs";

/**
 * Completion adds `distinct_id` to the person and `$group_key` to every group the user is in, so it
 * can matter only where a definition reads these, or where a group had no properties at all.
 */
export function completionMatters(definitions, user) {
  if (/distinct_id|group_key/.test(definitions.replace(/"bucketing_identifier":\s*"distinct_id"/g, ""))) return true;
  return Object.keys(user.groups ?? {}).some((type) => !Object.hasOwn(user.groupProperties ?? {}, type));
}

/** posthog-node's answer to one flag, at the time of the case; where it throws, any reason will do. */
export async function referenceAnswer(definitions, { key, user, now }) {
  return atTime(now, async () => {
    const reference = openReference({ definitions });
    try {
      return await reference.evaluateFlag(key, user);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) return { unresolved: "any" };
      throw error;
    } finally {
      await reference.close();
    }
  });
}
