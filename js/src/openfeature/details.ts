import {
  ErrorCode,
  StandardResolutionReasons,
  type FlagMetadata,
  type JsonValue,
  type OpenFeatureError,
  type ResolutionDetails,
  type ResolutionReason,
} from "@openfeature/core";
import type { FlagResult } from "../flags/types.js";
import { noValue } from "./errors.js";

/**
 * Reads a value of one type from a flag that has one. `undefined`: the flag holds no such value.
 *
 * What PostHog's own provider answers is answered alike; where it knows only a mismatch, the payload is read too.
 */
type Reading<T> = (result: FlagResult) => T | undefined;

/** Whether the flag is on: `true` for every variant, as posthog-node's `isFeatureEnabled` says. */
const asBoolean: Reading<boolean> = ({ enabled }) => enabled;

/** The variant's name; the payload of a flag that is plainly on, if it is a string. */
const asString: Reading<string> = ({ variant, enabled, payload }) => {
  if (variant !== undefined) return variant;
  return enabled && typeof payload === "string" ? payload : undefined;
};

/** The variant's name read as a number; else the payload, if it is one. */
const asNumber: Reading<number> = ({ variant = "", enabled, payload }) => {
  const named = variant.trim() === "" ? NaN : Number(variant);
  if (Number.isFinite(named)) return named;
  return enabled && typeof payload === "number" ? payload : undefined;
};

/** The payload, if it is an object or a list. */
const asObject: Reading<JsonValue> = ({ payload }) =>
  typeof payload === "object" && payload !== null ? (payload as JsonValue) : undefined;

const readings = { boolean: asBoolean, string: asString, number: asNumber, object: asObject };

/** The types of flags that OpenFeature asks for. */
export type FlagType = keyof typeof readings;

/**
 * The result of one flag as OpenFeature's details. The caller's default stands in for the value when there is none:
 * without an error when the flag is simply off, with one when it cannot be decided here or is of another type.
 */
export function detailsOf<T>(type: FlagType, result: FlagResult, defaultValue: T): ResolutionDetails<T> {
  const flagMetadata = metadataOf(result);
  if (result.value === undefined) {
    const { code, message } = noValue(result.key, result.reason ?? "flag_not_found");
    return failed(defaultValue, code, message, flagMetadata);
  }
  const value = readings[type](result) as T | undefined;
  if (value === undefined) {
    if (!result.enabled) return { value: defaultValue, reason: StandardResolutionReasons.DEFAULT, flagMetadata };
    const found = result.variant === undefined ? "true" : `the variant "${result.variant}"`;
    const message = `flag "${result.key}" is ${found}, with ${payloadOf(result)}: that is no ${type}`;
    return failed(defaultValue, ErrorCode.TYPE_MISMATCH, message, flagMetadata);
  }
  const { variant } = result;
  return { value, reason: reasonOf(result), flagMetadata, ...(variant !== undefined && { variant }) };
}

/** Details that say why there is no answer. */
export function errorDetails<T>(error: OpenFeatureError, defaultValue: T): ResolutionDetails<T> {
  return failed(defaultValue, error.code, error.message, {});
}

function failed<T>(value: T, errorCode: ErrorCode, errorMessage: string, flagMetadata: FlagMetadata): ResolutionDetails<T> {
  return { value, reason: StandardResolutionReasons.ERROR, errorCode, errorMessage, flagMetadata };
}

/** PostHog says `false` alike of a flag that is switched off and of one that matched nobody, so DISABLED is never said. */
function reasonOf({ source, snapshot, enabled }: FlagResult): ResolutionReason {
  if (source === "override") return StandardResolutionReasons.STATIC;
  if (source === "snapshot" && snapshot?.stale) return StandardResolutionReasons.STALE;
  return enabled ? StandardResolutionReasons.TARGETING_MATCH : StandardResolutionReasons.DEFAULT;
}

function payloadOf({ payload }: FlagResult): string {
  if (payload === undefined) return "no payload";
  return `a payload that is ${Array.isArray(payload) ? "a list" : payload === null ? "null" : `of type ${typeof payload}`}`;
}

/** `version` is the name that OpenFeature's telemetry reads. */
function metadataOf({ source, reason, snapshot }: FlagResult): FlagMetadata {
  const metadata: FlagMetadata = { source };
  if (reason !== null) metadata["unresolved"] = reason;
  if (snapshot === null) return metadata;
  metadata["stale"] = snapshot.stale;
  if (snapshot.version !== null) metadata["version"] = snapshot.version;
  if (snapshot.ageSeconds !== null) metadata["ageSeconds"] = snapshot.ageSeconds;
  return metadata;
}
