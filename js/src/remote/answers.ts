import type { RemoteAnswers, RemoteFlag } from "./types.js";

interface WireFlag {
  enabled?: unknown;
  variant?: string | null;
  failed?: boolean;
  reason?: { code?: string; description?: string } | null;
  metadata?: { id?: number; version?: number; payload?: unknown; has_experiment?: boolean } | null;
}

interface Wire {
  flags?: Record<string, WireFlag | null>;
  requestId?: string;
  evaluatedAt?: number;
  errorsWhileComputingFlags?: boolean;
  quotaLimited?: string[];
  minimalFlagCalledEvents?: boolean;
}

/** What a response of `/flags?v=2` says; throws where it is none. */
export function answersOf(text: string): RemoteAnswers {
  const wire = JSON.parse(text) as Wire;
  const errors: string[] = [];
  if (wire.errorsWhileComputingFlags) errors.push("errors_while_computing_flags");
  if (Array.isArray(wire.quotaLimited) && wire.quotaLimited.includes("feature_flags")) errors.push("quota_limited");
  if (errors.length === 0 && !isObject(wire.flags)) throw new Error("the response has no flags");
  const flags = new Map<string, RemoteFlag>();
  // DIFFERENCE: posthog-node uses flags that came with an error, which may be false for no other reason.
  for (const [key, flag] of errors.length > 0 ? [] : Object.entries(wire.flags ?? {})) {
    if (isObject(flag) && flag.failed !== true) flags.set(key, flagOf(flag));
  }
  const { requestId, evaluatedAt, minimalFlagCalledEvents } = wire;
  return { flags, requestId, evaluatedAt, errors, minimal: minimalFlagCalledEvents === true };
}

// PARITY: PostHogBackendClient.evaluateFlags
function flagOf({ enabled, variant, reason, metadata }: WireFlag): RemoteFlag {
  return {
    value: enabled ? (variant ?? true) : false,
    // Fresh each time, as the snapshot's: an answer is used again, and whoever reads a payload may change it.
    get payload() {
      return payloadOf(metadata?.payload);
    },
    id: metadata?.id,
    version: metadata?.version,
    reason: reason?.description ?? reason?.code,
    hasExperiment: metadata?.has_experiment,
  };
}

function payloadOf(payload: unknown): unknown {
  if (payload === undefined || payload === null) return undefined;
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  try {
    return (JSON.parse(text) as unknown) ?? undefined;
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
