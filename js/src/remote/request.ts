import type { User } from "../types.js";

/** What a request tells beside the user. */
export interface RequestOptions {
  /** The evaluation contexts to evaluate for; the same that the reader has. */
  evaluationContexts?: readonly string[] | undefined;
  /** Whether PostHog should not look up where the server is. Default: true. */
  disableGeoip?: boolean | undefined;
}

/** The body of a request to `/flags?v=2`, as posthog-node sends it. */
export function requestBody(token: string, user: User, flagKeys: readonly string[] | undefined, options: RequestOptions): string {
  const { distinctId, groups, personProperties, groupProperties } = user;
  const { evaluationContexts, disableGeoip = true } = options;
  const ofGroups = Object.entries(groups ?? {}).map(([type, key]) => [type, { $group_key: key, ...groupProperties?.[type] }]);
  // PARITY: PostHogCoreStateless.getFlags
  return JSON.stringify({
    token,
    distinct_id: distinctId,
    groups: groups ?? {},
    person_properties: personProperties ?? {},
    group_properties: Object.fromEntries(ofGroups) as Record<string, unknown>,
    geoip_disable: disableGeoip,
    flag_keys_to_evaluate: flagKeys,
    $device_id: personProperties?.["$device_id"] || undefined,
    evaluation_contexts: evaluationContexts?.length ? evaluationContexts : undefined,
    evaluation_runtime: "server",
  });
}
