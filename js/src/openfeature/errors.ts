import { ErrorCode, instantiateErrorByErrorCode, OpenFeatureError } from "@openfeature/core";
import { FlagpostError, type FlagpostErrorCode } from "../errors.js";
import type { NoValueReason } from "../flags/types.js";

/** Without a code here an error is GENERAL. PROVIDER_FATAL is kept for what only a change of the program mends. */
const CODES: Partial<Record<FlagpostErrorCode, ErrorCode>> = {
  no_snapshot: ErrorCode.PROVIDER_NOT_READY,
  source_failed: ErrorCode.PROVIDER_NOT_READY,
  invalid_input: ErrorCode.PARSE_ERROR,
  invalid_json: ErrorCode.PARSE_ERROR,
  invalid_definitions: ErrorCode.PARSE_ERROR,
  damaged_snapshot: ErrorCode.PARSE_ERROR,
  invalid_user: ErrorCode.INVALID_CONTEXT,
  needs_compiler: ErrorCode.PROVIDER_FATAL,
  no_webassembly: ErrorCode.PROVIDER_FATAL,
  invalid_options: ErrorCode.PROVIDER_FATAL,
};

const REASONS: Record<NoValueReason, { code: ErrorCode; why: string }> = {
  flag_not_found: { code: ErrorCode.FLAG_NOT_FOUND, why: "the snapshot has no such flag" },
  no_snapshot: { code: ErrorCode.PROVIDER_NOT_READY, why: "there is no snapshot yet" },
  stale_snapshot: { code: ErrorCode.GENERAL, why: "the snapshot is older than maxAge allows" },
  evaluation_failed: { code: ErrorCode.GENERAL, why: "the evaluator failed: the client's onError was told why" },
  missing_context: { code: ErrorCode.INVALID_CONTEXT, why: "the context lacks a property, a group or $device_id that it depends on" },
  experience_continuity: { code: ErrorCode.GENERAL, why: "it keeps its value across logins, which only PostHog's server can" },
  unsupported_definition: { code: ErrorCode.GENERAL, why: "its rules need PostHog's server" },
  unresolved_dependency: { code: ErrorCode.GENERAL, why: "it depends on a flag that cannot be decided here" },
};

/** What OpenFeature calls a flag that has no value. The message names the reason as Flagpost and posthog-node do. */
export function noValue(key: string, reason: NoValueReason): { code: ErrorCode; message: string } {
  const { code, why } = REASONS[reason];
  return { code, message: `flag "${key}" cannot be answered: ${why} (${reason})` };
}

/** Any error as one of OpenFeature's. */
export function openFeatureError(error: unknown): OpenFeatureError {
  if (error instanceof OpenFeatureError) return error;
  const code = (error instanceof FlagpostError && CODES[error.code]) || ErrorCode.GENERAL;
  const mapped = instantiateErrorByErrorCode(code, error instanceof Error ? error.message : String(error));
  mapped.cause = error;
  return mapped;
}
