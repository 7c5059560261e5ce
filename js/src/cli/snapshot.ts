import { frameOf, isSnapshot } from "../frame.js";
import { load } from "../entry/inline.js";
import { isWhole } from "../checksum.js";
import { jsonSectionsOf } from "../sections.js";
import { Failure } from "./failure.js";

/** Refuses a snapshot of which any byte is not what was written. The edge checks only what it uses. */
export function assertWhole(snapshot: Uint8Array): void {
  if (frameOf(snapshot) === undefined || !isWhole(snapshot)) {
    throw new Failure("input", "the snapshot is damaged (its checksum does not match): fetch it again, or write it again with `refresher run`");
  }
}

/** A flag as PostHog's definitions have it: any JSON. */
export type Json = unknown;

/** The flags in a snapshot, or in definitions as JSON, once the evaluator has taken them. */
export function flagsOf(bytes: Uint8Array): readonly Json[] {
  if (isSnapshot(bytes)) assertWhole(bytes);
  load(bytes).free();
  const text = new TextDecoder().decode(isSnapshot(bytes) ? jsonSectionsOf(bytes).definitions : bytes);
  return member(JSON.parse(text), "flags") as Json[] ?? [];
}

/** A member of what may be an object. */
export function member(value: Json, name: string): Json {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, Json>)[name] : undefined;
}
