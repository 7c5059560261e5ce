import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
import { flagpostTables } from "flagpost/convex";

export default defineSchema({
  ...flagpostTables,
  // Your own tables.
  orders: defineTable({ item: v.string(), distinctId: v.string(), redesigned: v.boolean() }),
});
