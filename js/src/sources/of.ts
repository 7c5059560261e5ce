import { FlagpostError } from "../errors.js";
import type { Source } from "../source.js";
import { kvSource, type KvBinding } from "./kv.js";
import { r2Source, type R2Bucket } from "./r2.js";
import { urlSource } from "./url.js";

/** What `createReader` reads from. */
export type SourceLike = Source | KvBinding | R2Bucket | string | { readonly href: string };

/** The source for a binding or URL, with its default options; a source is taken as it is. */
export function sourceOf(input: SourceLike): Source {
  if (typeof input === "string") return urlSource(input);
  const thing = input as Partial<Source & KvBinding & R2Bucket & { href: string }> | null | undefined;
  if (typeof thing?.read === "function") return input as Source;
  if (typeof thing?.head === "function") return r2Source(input as R2Bucket);
  if (typeof thing?.get === "function") return kvSource(input as KvBinding);
  if (typeof thing?.href === "string") return urlSource(thing.href);
  throw new FlagpostError(
    "invalid_options",
    `the reader's source is ${input === null ? "null" : `of type ${typeof input}`}: pass a KV or R2 binding, a URL ` +
      "or a source (is the binding in wrangler.toml, and read from the request's env?)",
  );
}
