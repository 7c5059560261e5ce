import type { FlagpostError } from "../errors.js";

/**
 * Definitions as posthog-node keeps them in a shared cache: members in snake case, and again in camel
 * case for its older versions.
 */
export interface FlagDefinitionCacheData {
  flags: any[];
  /** Index of a group type -> its name. */
  group_type_mapping: Record<string, string>;
  groupTypeMapping: Record<string, string>;
  /** Id of a cohort -> its filters. */
  cohorts: Record<string, any>;
  /** Whether `$feature_flag_called` events may leave out all that is not needed. */
  minimal_flag_called_events: boolean;
  minimalFlagCalledEvents: boolean;
  property_matching_version?: any;
  propertyMatchingVersion?: any;
}

/**
 * posthog-node's interface of the same name, as these providers fill it: pass one to `new PostHog(…)` as
 * `flagDefinitionCacheProvider`. No method throws; failures go to `onError`.
 */
export interface FlagDefinitionCacheProvider {
  /** The last good definitions; undefined if there have never been any. */
  getFlagDefinitions(): Promise<FlagDefinitionCacheData | undefined>;
  /** Whether this process is to ask PostHog. Only asked of a client that has credentials. */
  shouldFetchFlagDefinitions(): Promise<boolean>;
  /** Stores what PostHog sent. */
  onFlagDefinitionsReceived(data: ReceivedDefinitions): Promise<void>;
  /** Gives back what is held, a lock say. */
  shutdown(): Promise<void>;
}

/** What posthog-node hands over, in any of its versions. */
export interface ReceivedDefinitions {
  flags: any[];
}

/** What every provider can be told. */
export interface ProviderOptions {
  /** Told of every failure. Default: `console.warn`. */
  onError?: ((error: FlagpostError) => void) | undefined;
}
