import { FlagpostError } from "../../errors.js";
import type { Target } from "../types.js";
import { kvTarget, type KvTargetBinding } from "./kv.js";
import { r2Target, type R2TargetBucket } from "./r2.js";

/** What `refresh` writes to. */
export type TargetLike = Target | KvTargetBinding | R2TargetBucket;

/** The target for a binding, with its default options; a target is taken as it is. */
export function targetOf(input: TargetLike): Target {
  const thing = input as Partial<Target & KvTargetBinding & R2TargetBucket> | null | undefined;
  if (typeof thing?.read === "function" && typeof thing.write === "function") return input as Target;
  if (typeof thing?.head === "function") return r2Target(input as R2TargetBucket);
  if (typeof thing?.put === "function") return kvTarget(input as KvTargetBinding);
  throw new FlagpostError(
    "invalid_options",
    `the target is ${input === null ? "null" : `of type ${typeof input}`}: pass a KV or R2 binding or a target ` +
      "(is the binding in wrangler.toml, and read from the request's env?)",
  );
}
