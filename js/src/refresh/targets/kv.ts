import { digestOf } from "../../digest.js";
import { DEFAULT_KEY } from "../../source.js";
import { decodeText } from "../../texts.js";
import { inspect } from "../rules.js";
import type { Target, TargetContent } from "../types.js";

/** Largest value that Workers KV takes. */
const MAX_VALUE = 25 << 20;
/** Largest metadata that Workers KV takes. */
const MAX_METADATA = 1024;
/** The shortest time in seconds that Workers KV lets its edge answer from a cache of its own. */
const CACHE_TTL = 30;

/** What is used of a Workers KV binding. */
export interface KvTargetBinding {
  get(key: string, options: { type: "arrayBuffer"; cacheTtl?: number }): Promise<ArrayBuffer | null>;
  put(key: string, value: ArrayBuffer, options?: { metadata?: unknown }): Promise<void>;
}

/** Options of `kvTarget`. */
export interface KvTargetOptions {
  /** The key that readers read. Default: `flagpost`, as the refresher's. */
  key?: string | undefined;
}

/**
 * Keeps the snapshot under one key of Workers KV, without an expiry: a stale snapshot beats a missing one.
 *
 * KV has no conditional write. What is expected is compared just before writing, and the result read back.
 * A Worker may be shown what was stored half a minute ago: a pin or a rollback that is younger than that
 * goes unseen. R2 has neither limit.
 */
export function kvTarget(binding: KvTargetBinding, options: KvTargetOptions = {}): Target {
  const { key = DEFAULT_KEY } = options;
  async function read(): Promise<TargetContent | null> {
    const bytes = await binding.get(key, { type: "arrayBuffer", cacheTtl: CACHE_TTL });
    return bytes === null ? null : { bytes, version: await digestOf(new Uint8Array(bytes)) };
  }
  return {
    describe: `the KV key "${key}"`,
    maxBytes: MAX_VALUE,
    read,
    async write(bytes, expected) {
      if (((await read())?.version ?? null) !== expected) return "conflict";
      await binding.put(key, bytes.slice().buffer, metadataOf(bytes));
      return "written";
    },
  };
}

/** What readers can learn of a snapshot without loading it, as the refresher says it. */
function metadataOf(bytes: Uint8Array): { metadata?: unknown } {
  const { digest, etag = null, fetched_at, checked_at } = JSON.parse(decodeText(inspect(bytes).header)) as Record<string, unknown>;
  const metadata = { digest, etag, fetchedAt: fetched_at, checkedAt: checked_at };
  return new TextEncoder().encode(JSON.stringify(metadata)).length <= MAX_METADATA ? { metadata } : {};
}
