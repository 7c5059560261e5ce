import { DEFAULT_KEY, resultOf, type Source } from "../source.js";

/** What is used of a Workers KV binding. Anything with such a `get` will do. */
export interface KvBinding {
  get(key: string, options: { type: "arrayBuffer"; cacheTtl?: number }): Promise<ArrayBuffer | null>;
}

/** Options of `kvSource`. */
export interface KvSourceOptions {
  /** The key the refresher writes. Default: `flagpost`. */
  key?: string | undefined;
  /** Seconds that Cloudflare's edge may answer from its own cache, 30 at least. Default: 60. */
  cacheTtl?: number | undefined;
}

/** Reads a snapshot from a Workers KV binding. */
export function kvSource(binding: KvBinding, options: KvSourceOptions = {}): Source {
  const { key = DEFAULT_KEY, cacheTtl = 60 } = options;
  return {
    describe: `the KV key "${key}"`,
    writtenBy: "refresher run --store kv:NAMESPACE_ID",
    async read(previous) {
      const buffer = await binding.get(key, { type: "arrayBuffer", cacheTtl });
      return buffer === null ? null : resultOf(buffer, previous);
    },
  };
}
