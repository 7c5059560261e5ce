import { defineSchema } from "convex/server";
import { flagpostTables } from "flagpost/convex";

export default defineSchema({
  ...flagpostTables,
  // Your own tables.
});
