import { viewOf } from "../bytes.js";
import { FlagpostError } from "../errors.js";
import { frameOf, isSnapshot } from "../frame.js";
import { DEFAULT_KEY } from "../source.js";
import { chunkKey, headKey, headOf, type DenoKv, type DenoKvEntry, type DenoKvHead, type DenoKvKey } from "./deno-kv.js";

/** What is used of Deno KV to write. */
export interface DenoKvWriter extends DenoKv {
  atomic(): DenoKvAtomic;
  list(selector: { start: DenoKvKey; end: DenoKvKey }, options?: { limit?: number }): AsyncIterable<{ readonly key: readonly unknown[] }>;
}

/** A transaction of Deno KV. */
export interface DenoKvAtomic {
  check(...checks: { key: DenoKvKey; versionstamp: string | null }[]): this;
  set(key: DenoKvKey, value: unknown): this;
  delete(key: DenoKvKey): this;
  commit(): Promise<{ ok: boolean; versionstamp?: string }>;
}

/** Options of `writeDenoKv`. */
export interface WriteDenoKvOptions {
  /** Where `denoKvSource` will look. Default: `flagpost`. */
  key?: string | undefined;
  /**
   * The version that `denoKvSource` gave when it was decided to write, null for none: anything else that is stored
   * meanwhile is a conflict. Default: what is stored when the writing begins.
   */
  expected?: string | null | undefined;
}

/** A value takes 64 KiB, as it is serialised. */
const CHUNK = 60 * 1024;

/** A transaction takes 800 KiB. */
const CHUNKS_AT_ONCE = 12;

/** Milliseconds after which an upload that nothing refers to was given up by its writer. */
const GIVEN_UP_MS = 3_600_000;

/**
 * Writes a snapshot into Deno KV: chunks first, under a version of their own, then the head that points at them,
 * provided that nobody else has written meanwhile. Readers see the old snapshot or the new one.
 *
 * @param bytes What a refresher wrote elsewhere. Anything but a whole snapshot is refused.
 * @returns `"conflict"` when another writer was faster; then nothing has changed
 * @throws FlagpostError `invalid_input`; and whatever Deno KV throws
 */
export async function writeDenoKv(
  kv: DenoKvWriter,
  bytes: Uint8Array | ArrayBuffer,
  options: WriteDenoKvOptions = {},
): Promise<"written" | "conflict"> {
  const { key = DEFAULT_KEY, expected } = options;
  const view = viewOf(Object(bytes));
  if (view === undefined || !isSnapshot(view) || frameOf(view) === undefined) {
    throw new FlagpostError("invalid_input", "these bytes are no whole snapshot: pass what a refresher wrote");
  }
  const before = await kv.get(headKey(key));
  const old = headOf(before.value);
  if (expected !== undefined && expected !== (old?.version ?? null)) return "conflict";
  const head = { version: newVersion(), size: view.length, chunks: Math.ceil(view.length / CHUNK) };
  const staged = await stage(kv, key, head, view);
  const committed = await point(kv, key, head, before, staged);
  await removeChunks(kv, key, committed ? old : head);
  await sweep(kv, key);
  return committed ? "written" : "conflict";
}

/** Versions tell when they were begun, so that it is known which were given up. */
function newVersion(): string {
  return `${timeText(Date.now())}-${crypto.randomUUID()}`;
}

function timeText(ms: number): string {
  return String(ms).padStart(15, "0");
}

/** Gives the versionstamp of the first chunk. */
async function stage(kv: DenoKvWriter, key: string, { version, chunks }: DenoKvHead, bytes: Uint8Array): Promise<string | null> {
  let stamp: string | undefined;
  for (let first = 0; first < chunks; first += CHUNKS_AT_ONCE) {
    const atomic = kv.atomic();
    for (let index = first; index < Math.min(first + CHUNKS_AT_ONCE, chunks); index++) {
      atomic.set(chunkKey(key, version, index), bytes.slice(index * CHUNK, (index + 1) * CHUNK));
    }
    const { versionstamp } = await atomic.commit();
    stamp ??= versionstamp;
  }
  return stamp ?? null;
}

/** Whoever takes the chunks for given up removes the first one first: while it is there, they all are. */
async function point(kv: DenoKvWriter, key: string, head: DenoKvHead, before: DenoKvEntry, staged: string | null): Promise<boolean> {
  const at = headKey(key);
  const unchanged = { key: at, versionstamp: before.versionstamp };
  const there = { key: chunkKey(key, head.version, 0), versionstamp: staged };
  const { ok } = await kv.atomic().check(unchanged, there).set(at, head).commit();
  return ok;
}

async function removeChunks(kv: DenoKvWriter, key: string, head: DenoKvHead | undefined): Promise<void> {
  if (head === undefined) return;
  const atomic = kv.atomic();
  for (let index = 0; index < head.chunks; index++) atomic.delete(chunkKey(key, head.version, index));
  await atomic.commit();
}

/** Removes what writers left that ended half-way. Whatever is newer may be a writer's that is still at it. */
async function sweep(kv: DenoKvWriter, key: string): Promise<void> {
  const givenUp = timeText(Date.now() - GIVEN_UP_MS);
  const { value, versionstamp } = await kv.get(headKey(key));
  const used = headOf(value)?.version;
  for await (const { key: found } of kv.list({ start: [key, ""], end: [key, givenUp] })) {
    if (found[1] === used) continue;
    // A writer whose clock is behind may have pointed at it since.
    const { ok } = await kv.atomic().check({ key: headKey(key), versionstamp }).delete(found as DenoKvKey).commit();
    if (!ok) return;
  }
}
