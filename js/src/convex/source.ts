import { internalQueryGeneric, makeFunctionReference, type GenericDatabaseReader, type QueryBuilder } from "convex/server";
import { v } from "convex/values";

import { FlagpostError } from "../errors.js";
import { DEFAULT_KEY, type Source } from "../source.js";
import { made } from "./made.js";
import { readFront, type StoredSnapshot } from "./read.js";
import type { FlagpostDataModel } from "./tables.js";

/** The context of a query or mutation, which read the tables themselves, or of an action, which asks `snapshot`. */
export type FlagpostCtx =
  // Of a project's own data model and references nothing can be said here.
  { db: GenericDatabaseReader<any> } | { runQuery: (query: any, args: any) => Promise<any> };

const internalQuery: QueryBuilder<FlagpostDataModel, "internal"> = internalQueryGeneric;

/** Reads as much of the snapshot as evaluation needs, for actions: they have no database of their own. */
export const snapshot = /* @__PURE__ */ made(() =>
  internalQuery({
    args: { name: v.string() },
    returns: v.union(v.null(), v.object({ version: v.string(), bytes: v.bytes() })),
    handler: ({ db }, { name }) => readFront(db, name),
  }),
);

/** The snapshot's front in any kind of function; null until the refresher has written one. */
export async function readStored(ctx: FlagpostCtx, name: string): Promise<StoredSnapshot | null> {
  if ("db" in ctx) return readFront(ctx.db, name);
  try {
    return await ctx.runQuery(makeFunctionReference<"query">("flagpost:snapshot"), { name });
  } catch (cause) {
    const fix = "export `snapshot` of flagpost/convex from convex/flagpost.ts";
    throw new FlagpostError("source_failed", `the query flagpost:snapshot cannot be run: ${String(cause)}: ${fix}`, { cause });
  }
}

/** What there is until a snapshot was written. */
export function noSnapshot(name: string): FlagpostError {
  const { describe, writtenBy } = textsOf(name);
  return new FlagpostError("no_snapshot", `no snapshot at ${describe}: write one with "${writtenBy}"`);
}

function textsOf(name: string): { describe: string; writtenBy: string } {
  const suffix = name === DEFAULT_KEY ? "" : `#${name}`;
  return { describe: `the Convex item "${name}"`, writtenBy: `refresher run --store convex:${suffix}` };
}

/**
 * A source for a reader or a client that lives as long as one call of a Convex function. `Flagpost` needs
 * none.
 *
 * @param ctx The context of the query, mutation or action.
 * @param name What stands behind `#` in the refresher's `--store convex:URL#NAME`.
 */
export function convexSource(ctx: FlagpostCtx, name: string = DEFAULT_KEY): Source {
  return {
    ...textsOf(name),
    async read(previous) {
      const stored = await readStored(ctx, name);
      return stored !== null && stored.version === previous?.version ? "unchanged" : stored;
    },
  };
}
