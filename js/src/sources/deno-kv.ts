import { FlagpostError } from "../errors.js";
import { DEFAULT_KEY, type Source, type SourceResult } from "../source.js";

/** A key of Deno KV, as far as it is used here. */
export type DenoKvKey = readonly (string | number)[];

/** What is used of Deno KV to read. `await Deno.openKv()` gives one. */
export interface DenoKv {
  get(key: DenoKvKey): Promise<DenoKvEntry>;
  getMany(keys: DenoKvKey[]): Promise<DenoKvEntry[]>;
  atomic(): unknown;
}

/** What is stored under a key; both are null where there is nothing. */
export interface DenoKvEntry {
  readonly value: unknown;
  readonly versionstamp: string | null;
}

/** Where a snapshot lies: its chunks are beside the head, under the version, from number 0. */
export interface DenoKvHead {
  readonly version: string;
  readonly size: number;
  readonly chunks: number;
}

/** Options of `denoKvSource`. */
export interface DenoKvSourceOptions {
  /** The key given to `writeDenoKv`. Default: `flagpost`. */
  key?: string | undefined;
}

/** So many keys Deno KV reads at once. */
const AT_ONCE = 10;

/** So often a reader begins again when a writer replaces what it reads. */
const ATTEMPTS = 3;

/**
 * Reads a snapshot from Deno KV, where `writeDenoKv` put it. An unchanged one costs one small read; a new one as
 * many as it has chunks of 60 KiB, ten at once.
 */
export function denoKvSource(kv: DenoKv, options: DenoKvSourceOptions = {}): Source {
  const { key = DEFAULT_KEY } = options;
  const describe = `the Deno KV key "${key}"`;
  return {
    describe,
    writtenBy: "writeDenoKv(kv, bytes)",
    async read(previous): Promise<SourceResult> {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const head = headOf((await kv.get(headKey(key))).value);
        if (head === undefined) return null;
        if (head.version === previous?.version) return "unchanged";
        const bytes = await readChunks(kv, key, head);
        if (bytes !== undefined) return { bytes, version: head.version };
      }
      throw new FlagpostError("source_failed", `${describe} misses a part of its snapshot: write it again with writeDenoKv`);
    },
  };
}

/** Where the head lies. */
export function headKey(key: string): DenoKvKey {
  return [key];
}

/** Where a chunk lies. */
export function chunkKey(key: string, version: string, index: number): DenoKvKey {
  return [key, version, index];
}

/** The head, if this is one. */
export function headOf(value: unknown): DenoKvHead | undefined {
  const head = value as Partial<DenoKvHead> | null;
  return typeof head?.version === "string" && typeof head.chunks === "number" ? (head as DenoKvHead) : undefined;
}

/** All of a snapshot; undefined when a part is gone, because a newer one has replaced it. */
async function readChunks(kv: DenoKv, key: string, { version, size, chunks }: DenoKvHead): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let first = 0; first < chunks; first += AT_ONCE) {
    const keys = Array.from({ length: Math.min(AT_ONCE, chunks - first) }, (_, index) => chunkKey(key, version, first + index));
    for (const { value } of await kv.getMany(keys)) {
      if (!(value instanceof Uint8Array) || at + value.length > size) return undefined;
      bytes.set(value, at);
      at += value.length;
    }
  }
  return at === size ? bytes : undefined;
}
