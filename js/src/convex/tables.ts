import { defineTable, type DataModelFromSchemaDefinition, type SchemaDefinition } from "convex/server";
import { v } from "convex/values";

/** The tables of Flagpost's store, to spread into a project's `defineSchema`. */
export const flagpostTables = {
  /** What is stored: a row for the snapshot, each of its versions, their history and a lease. */
  flagpostItems: defineTable({
    key: v.string(),
    /** Names the chunks that hold the content, and changes with every write. */
    version: v.string(),
    /** Bytes of the content. */
    size: v.number(),
    chunks: v.number(),
  })
    .index("by_key", ["key"])
    .index("by_version", ["version"]),

  /** Contents, cut to fit into documents. */
  flagpostChunks: defineTable({
    version: v.string(),
    index: v.number(),
    bytes: v.bytes(),
  }).index("by_version", ["version", "index"]),

  /** Versions whose chunks belong to no item: still being uploaded, given up, or replaced. */
  flagpostUploads: defineTable({
    version: v.string(),
    /** Bytes that have arrived. */
    size: v.number(),
    chunks: v.number(),
    /** How many parts have arrived: a part may have been cut into two chunks. */
    staged: v.optional(v.number()),
    /** Bytes of the snapshot that evaluation needs, if it is one. */
    front: v.optional(v.number()),
    /** When the last chunk came, in milliseconds since 1970; 0 for what is to be deleted and nothing else. */
    touchedAt: v.number(),
  })
    .index("by_version", ["version"])
    .index("by_touched", ["touchedAt"]),
};

/** The data model of these tables alone. */
export type FlagpostDataModel = DataModelFromSchemaDefinition<SchemaDefinition<typeof flagpostTables, true>>;
