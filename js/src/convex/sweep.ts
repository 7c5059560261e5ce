import type { GenericDatabaseWriter } from "convex/server";

import { CHUNKS_SWEPT, GIVEN_UP_MS } from "./limits.js";
import type { FlagpostDataModel } from "./tables.js";

type Database = GenericDatabaseWriter<FlagpostDataModel>;

/** Leaves the chunks of a content that no item holds any more to be swept. */
export async function retire(db: Database, { version, size, chunks }: { version: string; size: number; chunks: number }) {
  if (chunks > 0) await db.insert("flagpostUploads", { version, size, chunks, touchedAt: 0 });
}

/**
 * Deletes chunks that belong to no item, a few, so that the transaction stays small. Uploads to which
 * something was added lately are spared. True when more are left.
 */
export async function sweepSome(db: Database): Promise<boolean> {
  const next = () =>
    db
      .query("flagpostUploads")
      .withIndex("by_touched", (q) => q.lt("touchedAt", Date.now() - GIVEN_UP_MS))
      .first();

  let upload = await next();
  for (let room = CHUNKS_SWEPT; upload !== null && room > 0; upload = await next()) {
    const { _id, version } = upload;
    const chunks = await db
      .query("flagpostChunks")
      .withIndex("by_version", (q) => q.eq("version", version))
      .take(room);
    for (const chunk of chunks) await db.delete(chunk._id);
    // With as many as asked for there may be more of them, and nothing may use those any longer.
    if (chunks.length < room) await db.delete(_id);
    else await db.patch(_id, { touchedAt: 0 });
    room -= Math.max(chunks.length, 1);
  }
  return upload !== null;
}
