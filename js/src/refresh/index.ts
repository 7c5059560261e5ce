/**
 * Refreshing from inside: what the refresher does, in a Worker's cron trigger or any other runtime.
 *
 * @packageDocumentation
 */
export { FlagpostError, type FlagpostErrorCode } from "../errors.js";
export type { DenoKvWriter } from "../sources/deno-kv-writer.js";
export type { RefreshOptions } from "./options.js";
export { refresh } from "./refresh.js";
export { createScheduled, type ScheduledHandler, type ScheduledOptions } from "./scheduled.js";
export { denoKvTarget, type DenoKvTargetOptions } from "./targets/deno-kv.js";
export { kvTarget, type KvTargetBinding, type KvTargetOptions } from "./targets/kv.js";
export { memoryTarget } from "./targets/memory.js";
export type { TargetLike } from "./targets/of.js";
export { r2Target, type R2TargetBucket, type R2TargetOptions } from "./targets/r2.js";
export type {
  RefreshFetch,
  RefreshPatience,
  RefreshPolicy,
  RefreshReason,
  RefreshReport,
  RefreshStatus,
  SnapshotFacts,
  Target,
  TargetContent,
} from "./types.js";
