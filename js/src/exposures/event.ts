import { uuidv7 } from "./uuid.js";

declare const FLAGPOST_VERSION: string;

/** One reading of a flag. */
export interface FlagCall {
  distinctId: string;
  /** Group type -> key of the group the user is in. */
  groups?: Record<string, string> | null | undefined;
  /** The flag's key. */
  key: string;
  /** The flag's value; undefined if it had none. */
  response: boolean | string | undefined;
  /** Whether it was decided here, not by PostHog's server. */
  locallyEvaluated: boolean;
  /** The flag's number in PostHog. */
  id?: number | undefined;
  /** The flag's version, which only PostHog's server tells. */
  version?: number | undefined;
  reason?: string | undefined;
  /** Whether an experiment uses the flag. Only `false` allows a minimal event. */
  hasExperiment?: boolean | undefined;
  /** Of PostHog's answer, where it was asked. */
  requestId?: string | undefined;
  /** Milliseconds since 1970 at which PostHog's server evaluated. */
  evaluatedAt?: number | undefined;
  /** Milliseconds since 1970 at which the definitions were fetched. */
  definitionsLoadedAt?: number | undefined;
  /** What went wrong, in posthog-node's words, separated by commas. */
  error?: string | undefined;
  /** When the flag was read. */
  at: Date;
}

/** Options of `flagCalledEvent`. */
export interface FlagCalledEventOptions {
  /** Whether PostHog asks for minimal events (`minimal_flag_called_events` of the definitions). Default: no. */
  minimal?: boolean | undefined;
  /** Whether PostHog should not look up where the server is. Default: true, as the server is not the user. */
  disableGeoip?: boolean | undefined;
}

/** An event as PostHog's batch endpoint takes it. */
export interface CapturedEvent {
  event: string;
  distinct_id: string;
  properties: Record<string, unknown>;
  /** RFC 3339, UTC. */
  timestamp: string;
  /** Of version 7. PostHog keeps one event of those with the same. */
  uuid: string;
}

/** What a minimal event keeps; the rest of PostHog's list is never set here. */
const MINIMAL = [
  "$feature_flag",
  "$feature_flag_response",
  "$feature_flag_has_experiment",
  "$feature_flag_id",
  "$feature_flag_version",
  "$feature_flag_reason",
  "$feature_flag_request_id",
  "$feature_flag_evaluated_at",
  "$feature_flag_error",
  "locally_evaluated",
];

/**
 * The `$feature_flag_called` event of a reading, with the properties that posthog-node 5.70 sends; `$lib` is `flagpost`.
 * Pure but for the event's `uuid`.
 */
export function flagCalledEvent(call: FlagCall, options: FlagCalledEventOptions = {}): CapturedEvent {
  const { key, response, locallyEvaluated, hasExperiment, groups } = call;
  const ms = call.at.getTime();
  // PARITY: FeatureFlagEvaluations._recordAccess
  const full: Record<string, unknown> = {
    $feature_flag: key,
    $feature_flag_response: response,
    $feature_flag_id: call.id,
    $feature_flag_version: call.version,
    $feature_flag_reason: call.reason,
    locally_evaluated: locallyEvaluated,
    [`$feature/${key}`]: response,
    $feature_flag_request_id: call.requestId,
    $feature_flag_evaluated_at: locallyEvaluated ? ms : call.evaluatedAt,
    $feature_flag_has_experiment: hasExperiment,
    $feature_flag_definitions_loaded_at: locallyEvaluated ? call.definitionsLoadedAt : undefined,
    $feature_flag_error: call.error,
  };
  // PARITY: PostHogBackendClient._shouldSendMinimalFlagCalledEvent
  const minimal = options.minimal === true && hasExperiment === false;
  const kept = Object.entries(full).filter(([name, value]) => value !== undefined && (!minimal || MINIMAL.includes(name)));
  const properties: Record<string, unknown> = Object.fromEntries(kept);
  if (groups && Object.keys(groups).length > 0) properties["$groups"] = groups;
  Object.assign(properties, { $lib: "flagpost", $lib_version: FLAGPOST_VERSION, $is_server: true });
  if (options.disableGeoip ?? true) properties["$geoip_disable"] = true;
  return {
    event: "$feature_flag_called",
    distinct_id: call.distinctId,
    properties,
    timestamp: call.at.toISOString(),
    uuid: uuidv7(ms),
  };
}
