import type { GenericDatabaseReader } from "convex/server";

import { frontOf } from "../frame.js";
import { DEFAULT_KEY } from "../source.js";
import { itemOf } from "./items.js";
import { READABLE_BYTES } from "./limits.js";
import type { FlagpostDataModel } from "./tables.js";

/** A stored snapshot, as `load` takes it. The version differs whenever the bytes do. */
export interface StoredSnapshot {
  bytes: ArrayBuffer;
  version: string;
}

/**
 * Reads the snapshot in a query or mutation, to the last byte. The reads of one function are one
 * transaction: while the refresher writes, this is the old snapshot or the new one. `Flagpost` and
 * `convexSource` read less.
 *
 * @param ctx The context of the query or mutation.
 * @param name What stands behind `#` in the refresher's `--store convex:URL#NAME`.
 * @returns null until the refresher has written one
 */
export async function readSnapshot(
  // A project's own data model has these tables among others, which TypeScript cannot tell of a
  // generic reader.
  ctx: { db: GenericDatabaseReader<any> },
  name: string = DEFAULT_KEY,
): Promise<StoredSnapshot | null> {
  const db: GenericDatabaseReader<FlagpostDataModel> = ctx.db;
  const item = await itemOf(db, name);
  return item && readItem(db, item, () => undefined);
}

/** The same, but no more of it than evaluation needs: a third, of a current refresher's snapshot. */
export async function readFront(db: GenericDatabaseReader<FlagpostDataModel>, name: string): Promise<StoredSnapshot | null> {
  const item = await itemOf(db, name);
  return item && readItem(db, item, frontOf);
}

/** Reads chunks until they hold as many bytes as the first of them say are enough. */
async function readItem(
  db: GenericDatabaseReader<FlagpostDataModel>,
  { version, size, chunks }: { version: string; size: number; chunks: number },
  enough: (first: Uint8Array) => number | undefined,
): Promise<StoredSnapshot> {
  let bytes = new Uint8Array();
  let at = 0;
  // One by one: of a range that is left early Convex may have read, and billed, more than was used.
  for (let index = 0; index < chunks && (index === 0 || at < bytes.length); index++) {
    const chunk = await db
      .query("flagpostChunks")
      .withIndex("by_version", (q) => q.eq("version", version).eq("index", index))
      .unique();
    const piece = new Uint8Array(chunk?.bytes ?? []);
    if (index === 0) {
      const wanted = Math.min(enough(piece) ?? size, size);
      if (wanted > READABLE_BYTES) {
        throw new Error(`the snapshot's ${size} bytes are more than the ${READABLE_BYTES} that a query can read`);
      }
      bytes = new Uint8Array(wanted);
    }
    bytes.set(piece.subarray(0, bytes.length - at), at);
    at += piece.length;
  }
  return { bytes: bytes.buffer, version };
}
