/**
 * Answers feature flags from the snapshot that the refresher keeps in Workers KV.
 *
 *   GET  /?user=ID&flag=KEY&properties=JSON&groups=JSON&groupProperties=JSON
 *   POST /?flag=KEY          with a User as JSON
 *
 * All but the user are optional; without a flag, all flags are answered.
 */
import { createFlags, createReader, FlagpostError, type FlagResult, type Flags } from "flagpost/slim";
import { BadRequest, userOf } from "./user";

interface Env {
  FLAGS: KVNamespace;
}

let flags: Flags | undefined;

export default {
  async fetch(request, env, ctx) {
    try {
      // Strict: without a snapshot nothing is answered. Leave it out, and flags have their defaults.
      flags ??= createFlags({ reader: createReader({ source: env.FLAGS, ttl: 60 }), strict: true });
      const flag = new URL(request.url).searchParams.get("flag");
      const user = await flags.forUser(await userOf(request), { ctx });
      const answers =
        flag === null
          ? { ...user.getAllFlagsAndPayloads(), unresolved: user.unresolved }
          : answerTo(user.getFeatureFlagResult(flag));
      return json(200, { ...answers, snapshot: { ...user.snapshot?.info, ageSeconds: user.snapshot?.ageSeconds } });
    } catch (error) {
      if (error instanceof BadRequest || (error instanceof FlagpostError && error.code === "invalid_user")) {
        return json(400, { error: error.message });
      }
      if (error instanceof FlagpostError) return json(503, { error: error.message, code: error.code });
      throw error;
    }
  },
} satisfies ExportedHandler<Env>;

/** One flag in the shape of all of them. */
function answerTo({ key, value, payload, reason }: FlagResult) {
  return {
    featureFlags: value === undefined ? {} : { [key]: value },
    featureFlagPayloads: payload ? { [key]: payload } : {},
    unresolved: reason === null || reason === "flag_not_found" ? {} : { [key]: reason },
  };
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
