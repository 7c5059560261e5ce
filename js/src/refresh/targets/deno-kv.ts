import { FlagpostError } from "../../errors.js";
import { DEFAULT_KEY } from "../../source.js";
import { denoKvSource, headKey, headOf } from "../../sources/deno-kv.js";
import { writeDenoKv, type DenoKvWriter } from "../../sources/deno-kv-writer.js";
import type { Target } from "../types.js";

/** Options of `denoKvTarget`. */
export interface DenoKvTargetOptions {
  /** The key that `denoKvSource` is given. Default: `flagpost`. */
  key?: string | undefined;
}

/** Keeps the snapshot in Deno KV, in chunks; the last of the writes compares and points at them in one step. */
export function denoKvTarget(kv: DenoKvWriter, options: DenoKvTargetOptions = {}): Target {
  const { key = DEFAULT_KEY } = options;
  const source = denoKvSource(kv, { key });
  return {
    describe: source.describe,
    async read() {
      try {
        const found = await source.read(undefined);
        return found === "unchanged" ? null : found;
      } catch (error) {
        if (!(error instanceof FlagpostError)) throw error;
        // A part of it is gone: something damaged is there, to be replaced.
        const head = headOf((await kv.get(headKey(key))).value);
        return head === undefined ? null : { bytes: new Uint8Array(), version: head.version };
      }
    },
    write: (bytes, expected) => writeDenoKv(kv, bytes, { key, expected }),
  };
}
