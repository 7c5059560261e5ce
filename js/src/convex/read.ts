import type { GenericDatabaseReader } from "convex/server";

import { DEFAULT_KEY } from "../source.js";
import { itemOf } from "./functions.js";
import { READABLE_BYTES } from "./limits.js";
import type { FlagpostDataModel } from "./tables.js";

/** A stored snapshot, as `load` takes it. The version differs whenever the bytes do. */
export interface StoredSnapshot {
  bytes: ArrayBuffer;
  version: string;
}

/**
 * Reads the snapshot in a query or mutation. The reads of one function are one transaction: while the
 * refresher writes, this is the old snapshot or the new one.
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
  if (item === null) return null;
  const { version, size } = item;
  if (size > READABLE_BYTES) {
    throw new Error(`the snapshot's ${size} bytes are more than the ${READABLE_BYTES} that a query can read`);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  const chunks = db.query("flagpostChunks").withIndex("by_version", (q) => q.eq("version", version));
  for await (const chunk of chunks) {
    bytes.set(new Uint8Array(chunk.bytes), at);
    at += chunk.bytes.byteLength;
  }
  return { bytes: bytes.buffer, version };
}
