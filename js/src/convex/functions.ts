// What `refresher run --store convex:URL` calls, as internal functions: only a deploy key may.
import {
  internalMutationGeneric,
  internalQueryGeneric,
  type GenericDatabaseReader,
  type GenericDatabaseWriter,
  type MutationBuilder,
  type QueryBuilder,
} from "convex/server";
import { v } from "convex/values";

import { frontOf } from "../frame.js";
import { piecesOf } from "./chunks.js";
import { itemOf } from "./items.js";
import { CHUNK_BYTES, CHUNKS_READ } from "./limits.js";
import { made } from "./made.js";
import { retire, sweepSome } from "./sweep.js";
import type { FlagpostDataModel } from "./tables.js";

const internalQuery: QueryBuilder<FlagpostDataModel, "internal"> = internalQueryGeneric;
const internalMutation: MutationBuilder<FlagpostDataModel, "internal"> = internalMutationGeneric;

function itemWith(db: GenericDatabaseReader<FlagpostDataModel>, version: string) {
  return db
    .query("flagpostItems")
    .withIndex("by_version", (q) => q.eq("version", version))
    .unique();
}

function uploadOf(db: GenericDatabaseReader<FlagpostDataModel>, version: string) {
  return db
    .query("flagpostUploads")
    .withIndex("by_version", (q) => q.eq("version", version))
    .unique();
}

/**
 * Reads an item: its version, size and number of chunks, and some chunks beginning with `from`; null
 * when nothing is stored. Whoever reads a long item asks several times, and begins again when the
 * version is another one.
 */
export const read = /* @__PURE__ */ made(() =>
  internalQuery({
    args: { key: v.string(), from: v.number() },
    returns: v.union(
      v.null(),
      v.object({ version: v.string(), size: v.number(), chunks: v.number(), pieces: v.array(v.bytes()) }),
    ),
    handler: async ({ db }, { key, from }) => {
      const item = await itemOf(db, key);
      if (item === null) return null;
      const { version, size, chunks } = item;
      const rows = await db
        .query("flagpostChunks")
        .withIndex("by_version", (q) => q.eq("version", version).gte("index", from))
        .take(CHUNKS_READ);
      return { version, size, chunks, pieces: rows.map(({ bytes }) => bytes) };
    },
  }),
);

/**
 * Takes the next chunk of a content that `commit` will put in place. The same chunk once more changes
 * nothing. False when chunks before it are missing: the upload was given up, and must begin again.
 */
export const stage = /* @__PURE__ */ made(() =>
  internalMutation({
    args: { version: v.string(), index: v.number(), bytes: v.bytes() },
    returns: v.boolean(),
    handler: async ({ db }, { version, index, bytes }) => {
      assertFits(bytes);
      const upload = await uploadOf(db, version);
      if (upload?.touchedAt === 0) return false;
      const staged = upload?.staged ?? 0;
      if (index !== staged) return index < staged;
      // A request that was given up may come after the commit it was made for.
      if (upload === null && (await itemWith(db, version)) !== null) return false;
      const { size, front, chunks } = upload ?? { size: 0, front: frontOf(new Uint8Array(bytes)), chunks: 0 };
      const pieces = piecesOf(bytes, (front ?? 0) - size);
      for (const [at, piece] of pieces.entries()) {
        await db.insert("flagpostChunks", { version, index: chunks + at, bytes: piece });
      }
      const state = {
        size: size + bytes.byteLength,
        chunks: chunks + pieces.length,
        staged: staged + 1,
        touchedAt: Date.now(),
      };
      if (upload === null) await db.insert("flagpostUploads", { version, ...state, ...(front !== undefined && { front }) });
      else await db.patch(upload._id, state);
      return true;
    },
  }),
);

/**
 * Makes a new version an item's content, if the item is still what the caller expects: `expected` is
 * its version, null for no item, and missing for whatever is there. The content is `bytes`, or what
 * was staged under the version; `size` is its length. A commit that was done is done when it comes
 * again. `left` says that chunks remain to be swept.
 */
export const commit = /* @__PURE__ */ made(() =>
  internalMutation({
    args: {
      key: v.string(),
      version: v.string(),
      size: v.number(),
      bytes: v.optional(v.bytes()),
      expected: v.optional(v.union(v.string(), v.null())),
    },
    returns: v.object({
      status: v.union(v.literal("committed"), v.literal("conflict"), v.literal("incomplete")),
      left: v.boolean(),
    }),
    handler: async ({ db }, content) => {
      if (content.bytes !== undefined) assertFits(content.bytes);
      const status = await put(db, content);
      return { status, left: await sweepSome(db) };
    },
  }),
);

/** What `commit` is given. */
export interface Content {
  key: string;
  version: string;
  size: number;
  bytes?: ArrayBuffer;
  expected?: string | null;
}

export async function put(
  db: GenericDatabaseWriter<FlagpostDataModel>,
  { key, version, size, bytes, expected }: Content,
): Promise<"committed" | "conflict" | "incomplete"> {
  const item = await itemOf(db, key);
  if (item?.version === version) return "committed";

  const upload = await uploadOf(db, version);
  if (expected !== undefined && expected !== (item?.version ?? null)) {
    if (upload !== null) await db.patch(upload._id, { touchedAt: 0 });
    return "conflict";
  }

  const arrived = upload === null ? bytes?.byteLength : upload.touchedAt === 0 ? undefined : upload.size;
  if (arrived !== size) return "incomplete";
  let chunks = upload?.chunks ?? 0;
  if (upload !== null) {
    await db.delete(upload._id);
  } else if (bytes !== undefined && size > 0) {
    for (const piece of piecesOf(bytes, frontOf(new Uint8Array(bytes)))) {
      await db.insert("flagpostChunks", { version, index: chunks++, bytes: piece });
    }
  }

  if (item === null) {
    await db.insert("flagpostItems", { key, version, size, chunks });
  } else {
    await db.patch(item._id, { version, size, chunks });
    await retire(db, item);
  }
  return "committed";
}

/** Removes an item; none is fine. True when chunks remain to be swept. */
export const remove = /* @__PURE__ */ made(() =>
  internalMutation({
    args: { key: v.string() },
    returns: v.boolean(),
    handler: async ({ db }, { key }) => {
      const item = await itemOf(db, key);
      if (item !== null) {
        await db.delete(item._id);
        await retire(db, item);
      }
      return sweepSome(db);
    },
  }),
);

/** Deletes some of the chunks that belong to no item. True when more are left. */
export const sweep = /* @__PURE__ */ made(() =>
  internalMutation({
    args: {},
    returns: v.boolean(),
    handler: ({ db }) => sweepSome(db),
  }),
);

function assertFits(bytes: ArrayBuffer): void {
  if (bytes.byteLength > CHUNK_BYTES) {
    throw new Error(`a chunk of ${bytes.byteLength} bytes is more than the ${CHUNK_BYTES} it may have`);
  }
}
