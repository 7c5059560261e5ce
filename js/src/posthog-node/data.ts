import { digestOf } from "../digest.js";
import { damaged, FlagpostError, parsed } from "../errors.js";
import { isSnapshot } from "../frame.js";
import { jsonSectionsOf } from "../sections.js";
import type { FlagDefinitionCacheData } from "./provider.js";

/**
 * What posthog-node is given of stored bytes: a snapshot, or JSON: definitions, or what posthog-node or
 * the refresher's `--posthog-node-cache` keeps under `posthog:flags:KEY`.
 *
 * @throws FlagpostError `damaged_snapshot`, `invalid_json`, `invalid_definitions`
 */
export async function dataOfBytes(bytes: Uint8Array): Promise<FlagDefinitionCacheData> {
  if (!isSnapshot(bytes)) return dataOfText(new TextDecoder().decode(bytes));
  const { header, definitions } = jsonSectionsOf(bytes);
  if (header !== undefined) await assertDigest(parsed(new TextDecoder().decode(header)), definitions);
  return dataOfText(new TextDecoder().decode(definitions));
}

/** `dataOfBytes` for JSON text. */
export function dataOfText(text: string): FlagDefinitionCacheData {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FlagpostError("invalid_json", "what is stored is cut short or no JSON: write it again", { cause });
  }
  return dataOf(value);
}

/**
 * PARITY: `_loadFeatureFlags`, status 200, and `updateFlagState` for the aliases.
 *
 * A flag that is null is left out: posthog-node would load nothing at all.
 */
function dataOf(value: unknown): FlagDefinitionCacheData {
  const stored = value as Record<string, any> | null;
  const flags = typeof stored === "object" && stored !== null && "flags" in stored ? (stored["flags"] ?? []) : undefined;
  if (stored === null || !Array.isArray(flags)) {
    throw new FlagpostError("invalid_definitions", "what is stored has no list of flags: is it another key, or another program's?");
  }
  const groupTypes = (stored["group_type_mapping"] ?? stored["groupTypeMapping"]) || {};
  const minimal = (stored["minimal_flag_called_events"] ?? stored["minimalFlagCalledEvents"]) === true;
  const version: unknown = stored["property_matching_version"] ?? stored["propertyMatchingVersion"];
  return {
    flags: flags.filter((flag) => flag !== null),
    group_type_mapping: groupTypes,
    groupTypeMapping: groupTypes,
    cohorts: stored["cohorts"] || {},
    minimal_flag_called_events: minimal,
    minimalFlagCalledEvents: minimal,
    property_matching_version: version,
    propertyMatchingVersion: version,
  };
}

/** Holds the definitions to the header's SHA-256, which is cheap, unlike the checksum. */
async function assertDigest(header: unknown, definitions: Uint8Array): Promise<void> {
  const { digest } = (header ?? {}) as { digest?: unknown };
  if (typeof digest !== "string" || !digest.startsWith("sha256:")) return;
  if (digest !== (await digestOf(definitions))) throw damaged("its definitions are not what was written");
}
