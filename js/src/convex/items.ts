import type { GenericDatabaseReader } from "convex/server";

import type { FlagpostDataModel } from "./tables.js";

/** The row of an item, or null. */
export function itemOf(db: GenericDatabaseReader<FlagpostDataModel>, key: string) {
  return db
    .query("flagpostItems")
    .withIndex("by_key", (q) => q.eq("key", key))
    .unique();
}
