import { frameOf, isSnapshot } from "../frame.js";
import { load } from "../entry/inline.js";
import { isWhole } from "../checksum.js";
import { Failure } from "./failure.js";

/** Tag of the definitions' section, as u32. */
const DEFS = 0x53_46_45_44;
const TABLE = 12;
const ENTRY = 16;

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
  const text = new TextDecoder().decode(isSnapshot(bytes) ? definitionsOf(bytes) : bytes);
  return member(JSON.parse(text), "flags") as Json[] ?? [];
}

function definitionsOf(snapshot: Uint8Array): Uint8Array {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.length);
  const end = TABLE + view.getUint32(TABLE - 4, true) * ENTRY;
  for (let at = TABLE; at < end; at += ENTRY) {
    const start = view.getUint32(at + 8, true);
    if (view.getUint32(at, true) === DEFS) return snapshot.subarray(start, start + view.getUint32(at + 12, true));
  }
  throw new Failure("input", "the snapshot is damaged (it holds no definitions): write it again with `refresher run`");
}

/** A member of what may be an object. */
export function member(value: Json, name: string): Json {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, Json>)[name] : undefined;
}
