import { DEFAULT_KEY } from "../../source.js";
import type { Target } from "../types.js";

/** What is used of an R2 bucket binding. */
export interface R2TargetBucket {
  get(key: string): Promise<{ readonly etag: string; arrayBuffer(): Promise<ArrayBuffer> } | null>;
  head(key: string): Promise<unknown>;
  put(key: string, value: ArrayBuffer, options: { onlyIf: { etagMatches?: string; etagDoesNotMatch?: string } }): Promise<unknown>;
}

/** Options of `r2Target`. */
export interface R2TargetOptions {
  /** The object that readers read. Default: `flagpost`, as the refresher's. */
  key?: string | undefined;
}

/** Keeps the snapshot as one object of an R2 bucket, which compares and writes in one step. */
export function r2Target(bucket: R2TargetBucket, options: R2TargetOptions = {}): Target {
  const { key = DEFAULT_KEY } = options;
  return {
    describe: `the R2 object "${key}"`,
    async read() {
      const found = await bucket.get(key);
      return found && { bytes: await found.arrayBuffer(), version: found.etag };
    },
    async write(bytes, expected) {
      const onlyIf = expected === null ? { etagDoesNotMatch: "*" } : { etagMatches: expected };
      const put = await bucket.put(key, bytes.slice().buffer, { onlyIf });
      return put === null ? "conflict" : "written";
    },
  };
}
