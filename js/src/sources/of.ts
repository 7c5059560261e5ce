import { viewOf } from "../bytes.js";
import { FlagpostError } from "../errors.js";
import type { Source } from "../source.js";
import { denoKvSource, type DenoKv } from "./deno-kv.js";
import { kvSource, type KvBinding } from "./kv.js";
import { memorySource } from "./memory.js";
import { r2Source, type R2Bucket } from "./r2.js";
import { urlSource } from "./url.js";

/** What `createReader` reads from: a source, or what one is made of with its default options. */
export type SourceLike =
  | Source
  | KvBinding
  | R2Bucket
  | DenoKv
  | string
  | { readonly href: string }
  | Uint8Array
  | ArrayBuffer;

/** The source for a binding, a URL or bytes, with its default options; a source is taken as it is. */
export function sourceOf(input: SourceLike): Source {
  if (typeof input === "string") return urlSource(input);
  const thing = input as Partial<Source & KvBinding & R2Bucket & DenoKv & { href: string }> | null | undefined;
  if (typeof thing?.read === "function") return input as Source;
  if (typeof thing?.head === "function") return r2Source(input as R2Bucket);
  if (typeof thing?.atomic === "function") return denoKvSource(input as DenoKv);
  if (typeof thing?.get === "function") return kvSource(input as KvBinding);
  if (typeof thing?.href === "string") return urlSource(thing.href);
  if (viewOf(Object(input)) !== undefined) return memorySource(input as Uint8Array | ArrayBuffer);
  throw new FlagpostError(
    "invalid_options",
    `the reader's source is ${input === null ? "null" : `of type ${typeof input}`}: pass a KV or R2 binding, a URL ` +
      "or a source (is the binding in wrangler.toml, and read from the request's env?)",
  );
}

/** The sources of one, or of a list that is tried in its order. */
export function sourcesOf(input: SourceLike | readonly SourceLike[]): readonly Source[] {
  if (!Array.isArray(input)) return [sourceOf(input as SourceLike)];
  if (input.length === 0) throw new FlagpostError("invalid_options", "the reader's list of sources is empty: pass one at least");
  return input.map((each) => sourceOf(each as SourceLike));
}
