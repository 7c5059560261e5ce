import type { FlagResult } from "../flags/types.js";
import type { RemoteAnswers } from "../remote/types.js";
import type { User } from "../types.js";
import type { FlagCall } from "./event.js";

/** What a result tells PostHog; undefined for an override, which nobody was exposed to by PostHog. */
export function callOf(result: FlagResult, user: User, remote: RemoteAnswers | null): FlagCall | undefined {
  const { key, value, source, snapshot } = result;
  if (source === "override") return undefined;
  const call = { distinctId: user.distinctId, groups: user.groups, key, response: value, requestId: remote?.requestId, at: new Date() };
  const error = errorOf(result, remote);
  if (source === "snapshot") {
    const fetched = Date.parse(snapshot?.info?.fetchedAt ?? "");
    return { ...call, locallyEvaluated: true, reason: "Evaluated locally", definitionsLoadedAt: Number.isNaN(fetched) ? undefined : fetched, error };
  }
  const { id, version, reason, hasExperiment } = remote?.flags.get(key) ?? {};
  return { ...call, locallyEvaluated: false, id, version, reason, hasExperiment, evaluatedAt: remote?.evaluatedAt, error };
}

function errorOf({ value, reason }: FlagResult, remote: RemoteAnswers | null): string | undefined {
  const errors = [...(remote?.errors ?? [])];
  // DIFFERENCE: without a snapshot posthog-node calls a flag missing, of which nothing is known.
  if (value === undefined) errors.push(reason === "flag_not_found" ? "flag_missing" : "local_evaluation_inconclusive");
  return errors.length === 0 ? undefined : errors.join(",");
}
