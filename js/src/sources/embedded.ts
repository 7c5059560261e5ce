import { decodeBase64 } from "../base64.js";
import { viewOf } from "../bytes.js";
import { FlagpostError } from "../errors.js";
import { isSnapshot } from "../frame.js";
import type { Source } from "../source.js";

/** A snapshot as bytes, or as the base64 text that `flagpost embed` writes. */
export type Embedded = Uint8Array | ArrayBuffer | string;

/** A snapshot, or the module that has one as its default export. */
export type EmbeddedModule = Embedded | { readonly default: Embedded };

/** Its content is that of the script, so it is the same for as long as the script runs. */
const VERSION = "embedded";

/**
 * Reads a snapshot that was built into the script: the last of a chain, so that flags are answered before a store
 * could ever be read. It is decoded when it is first read, which a working store before it never asks for.
 *
 * ```ts
 * createReader({ source: [env.FLAGS, embeddedSource(() => import("./flags.snapshot.mjs"))] });
 * ```
 *
 * @param snapshot Bytes, the base64 text that `flagpost embed` writes, or a function that gives one of them or the
 *   module that exports it by default, or a promise of it
 */
export function embeddedSource(snapshot: Embedded | (() => EmbeddedModule | Promise<EmbeddedModule>)): Source {
  return {
    describe: "the embedded snapshot",
    writtenBy: "flagpost embed",
    async read(previous) {
      if (previous?.version === VERSION) return "unchanged";
      const found = typeof snapshot === "function" ? await snapshot() : snapshot;
      return { bytes: bytesOf(found), version: VERSION };
    },
  };
}

function bytesOf(found: EmbeddedModule): Uint8Array {
  const content = typeof found === "object" && found !== null && "default" in found ? found.default : found;
  const bytes = typeof content === "string" ? decodeBase64(content) : viewOf(Object(content));
  if (bytes !== undefined && (typeof content !== "string" || isSnapshot(bytes))) return bytes;
  throw new FlagpostError("invalid_input", 'the embedded snapshot is neither bytes nor what "flagpost embed" wrote');
}
