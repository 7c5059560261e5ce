/**
 * Convex: flags in queries, mutations and actions; and Convex as a store: tables, the functions that the
 * refresher calls, and how to read the snapshot.
 *
 * @packageDocumentation
 */
export { Flagpost, type FeatureFlagResult, type FlagpostOptions, type UserArgs } from "../convex/flagpost.js";
export { flagpostTables, type FlagpostDataModel } from "../convex/tables.js";
export { commit, read, remove, stage, sweep } from "../convex/functions.js";
export { setFlagDefinitions } from "../convex/set.js";
export { readSnapshot, type StoredSnapshot } from "../convex/read.js";
export { convexSource, snapshot, type FlagpostCtx } from "../convex/source.js";
export type { FlagResult, FlagTypes, SnapshotState, UserFlags } from "../flags/types.js";
