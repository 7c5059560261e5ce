import { internalMutationGeneric, type MutationBuilder } from "convex/server";
import { v } from "convex/values";

import { isWhole } from "../checksum.js";
import { load } from "../entry/inline-slim.js";
import { damaged, FlagpostError } from "../errors.js";
import { frameOf } from "../frame.js";
import { DEFAULT_KEY, versionOf } from "../source.js";
import { put } from "./functions.js";
import { itemOf } from "./items.js";
import { SET_BYTES } from "./limits.js";
import { made } from "./made.js";
import { sweepSome } from "./sweep.js";
import type { FlagpostDataModel } from "./tables.js";

const internalMutation: MutationBuilder<FlagpostDataModel, "internal"> = internalMutationGeneric;

/**
 * Puts a snapshot into place in one call: `{ snapshot, name?, allowEmpty? }`, where `snapshot` holds the
 * bytes of what `refresher run` or `refresher compile` wrote and `name` is what stands behind `#` in
 * `--store convex:URL#NAME`. For functions of the project's own that fetch a snapshot from elsewhere, for
 * seeding a deployment, and for tests; the refresher itself uploads in parts, which also takes more than
 * 8 MiB.
 *
 * A snapshot is put into place only if it can be evaluated and is whole: one that is damaged, cut, or without flags
 * (unless `allowEmpty`) is refused with an error that says so, and what is stored stays. Nothing is
 * written, and no query runs again, when the same snapshot was set before (`unchanged`). `left` says that
 * chunks of older ones remain for `sweep`. Unlike the refresher this looks neither at a pin nor at which
 * definitions are newer.
 */
export const setFlagDefinitions = /* @__PURE__ */ made(() =>
  internalMutation({
    args: { snapshot: v.bytes(), name: v.optional(v.string()), allowEmpty: v.optional(v.boolean()) },
    returns: v.object({
      status: v.union(v.literal("committed"), v.literal("unchanged")),
      left: v.boolean(),
    }),
    handler: async ({ db }, { snapshot, name = DEFAULT_KEY, allowEmpty = false }) => {
      assertUsable(snapshot, allowEmpty);
      const content = `set ${name} ${versionOf(snapshot)}`;
      const item = await itemOf(db, name);
      if (item?.version.startsWith(`${content} `)) return { status: "unchanged" as const, left: await sweepSome(db) };
      // Chunks of the same content may still wait to be swept under an older version.
      const version = `${content} ${Date.now()} ${Math.random()}`;
      await put(db, { key: name, version, size: snapshot.byteLength, bytes: snapshot });
      return { status: "committed" as const, left: await sweepSome(db) };
    },
  }),
);

function assertUsable(snapshot: ArrayBuffer, allowEmpty: boolean): void {
  const size = snapshot.byteLength;
  if (size > SET_BYTES) {
    throw new FlagpostError(
      "invalid_input",
      `a snapshot of ${size} bytes is more than the ${SET_BYTES} that one call takes: let \`refresher run --store convex:\` write it`,
    );
  }
  const definitions = load(snapshot);
  try {
    const bytes = new Uint8Array(snapshot);
    if (frameOf(bytes) === undefined) {
      throw new FlagpostError("damaged_snapshot", "the snapshot ends behind its ruleset: pass all of its bytes");
    }
    // Evaluation does not look at the definitions; whoever reads them later is to find what was written.
    if (!isWhole(bytes)) throw damaged("its checksum does not match");
    if (definitions.flagKeys.length === 0 && !allowEmpty) {
      throw new FlagpostError("invalid_definitions", "the snapshot has no flags: pass allowEmpty if that is what you want");
    }
  } finally {
    definitions.free();
  }
}
