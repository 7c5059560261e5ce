import { FlagpostError } from "../../errors.js";
import type { DenoKvWriter } from "../../sources/deno-kv-writer.js";
import type { Target } from "../types.js";
import { denoKvTarget } from "./deno-kv.js";
import { kvTarget, type KvTargetBinding } from "./kv.js";
import { r2Target, type R2TargetBucket } from "./r2.js";

/** What `refresh` writes to. */
export type TargetLike = Target | KvTargetBinding | R2TargetBucket | DenoKvWriter;

/** The target for a binding or Deno KV, with its default options; a target is taken as it is. */
export function targetOf(input: TargetLike): Target {
  const thing = input as Partial<Record<"read" | "write" | "head" | "put" | "atomic", unknown>> | null | undefined;
  if (typeof thing?.read === "function" && typeof thing.write === "function") return input as Target;
  if (typeof thing?.head === "function") return r2Target(input as R2TargetBucket);
  if (typeof thing?.put === "function") return kvTarget(input as KvTargetBinding);
  if (typeof thing?.atomic === "function") return denoKvTarget(input as DenoKvWriter);
  throw new FlagpostError(
    "invalid_options",
    `the target is ${input === null ? "null" : `of type ${typeof input}`}: pass a KV or R2 binding, Deno KV or a target ` +
      "(is the binding in wrangler.toml, and read from the request's env?)",
  );
}
