/**
 * Convex as a store: tables, the functions that the refresher calls, and how to read the snapshot.
 *
 * @packageDocumentation
 */
export { flagpostTables } from "../convex/tables.js";
export { commit, read, remove, stage, sweep } from "../convex/functions.js";
export { readSnapshot, type StoredSnapshot } from "../convex/read.js";
