/** A client over a reader, as js/src/flags/types.ts describes it. */
import { evaluate, evaluateFlag } from "flagpost";

export function createFlags({ reader, strict = false, overrides = {}, maxAge = Infinity, onError = console.warn }) {
  const result = (key, user, definitions, snapshot) => {
    const given = { key, snapshot, payload: undefined, reason: null };
    const found = (value, source, payload) => ({
      ...given, value, payload, source, enabled: value !== false, variant: typeof value === "string" ? value : undefined,
    });
    const none = (reason) => ({ ...given, value: undefined, enabled: false, variant: undefined, source: "none", reason });
    if (Object.hasOwn(overrides, key)) return found(overrides[key], "override");
    if (definitions === undefined) return none("no_snapshot");
    const answer = evaluateFlag(definitions, key, user);
    if (answer === undefined) return none("flag_not_found");
    return "unresolved" in answer ? none(answer.unresolved) : found(answer.value, "snapshot", answer.payload);
  };
  return {
    async forUser(user, options) {
      let definitions;
      try {
        definitions = await reader.current(options?.ctx);
      } catch (error) {
        if (strict) throw error;
        onError(error);
      }
      const snapshot = definitions === undefined ? null : {
        version: definitions.info?.digest ?? null,
        info: definitions.info,
        ageSeconds: definitions.ageSeconds,
        stale: definitions.ageSeconds > maxAge,
      };
      return {
        snapshot,
        getFeatureFlagResult: (key) => result(key, user, definitions, snapshot),
        getAllFlags: () => ({ ...(definitions && evaluate(definitions, user).featureFlags), ...overrides }),
      };
    },
  };
}
