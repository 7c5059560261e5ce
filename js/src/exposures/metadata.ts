import type { Compiled } from "../compiled.js";
import { compiledOf } from "../definitions.js";
import type { Definitions } from "../types.js";

/** What events tell of a flag beside its answer. */
export interface FlagMetadata {
  readonly id: number | undefined;
  readonly hasExperiment: boolean | undefined;
}

/** What events need of definitions. */
export interface Metadata {
  /** Whether PostHog asks for minimal events. */
  readonly minimal: boolean;
  readonly flags: ReadonlyMap<string, FlagMetadata>;
}

let known: WeakMap<Compiled, Metadata> | undefined;

/** What events need of definitions, read once; nothing of those that were not kept or are damaged. */
export function metadataOf(definitions: Definitions): Metadata {
  try {
    known ??= new WeakMap();
    const compiled = compiledOf(definitions);
    let metadata = known.get(compiled);
    if (metadata === undefined) {
      metadata = read(compiled.takeJson());
      known.set(compiled, metadata);
    }
    return metadata;
  } catch {
    // Freed by now.
    return read(undefined);
  }
}

interface Wire {
  flags: { key: string; id?: number; has_experiment?: boolean }[];
  minimal_flag_called_events?: unknown;
  minimalFlagCalledEvents?: unknown;
}

function read(json: string | undefined): Metadata {
  const flags = new Map<string, FlagMetadata>();
  try {
    const wire = JSON.parse(json ?? "") as Wire;
    // Of two flags with one key the last one answers.
    for (const { key, id, has_experiment } of wire.flags) flags.set(key, { id, hasExperiment: has_experiment });
    // PARITY: FeatureFlagsPoller.updateFlagState
    return { minimal: (wire.minimal_flag_called_events ?? wire.minimalFlagCalledEvents) === true, flags };
  } catch {
    return { minimal: false, flags };
  }
}
