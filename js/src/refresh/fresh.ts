import { digestOf } from "../digest.js";
import { frameOf } from "../frame.js";
import { Ruleset } from "../ruleset.js";
import { headerJson, isSame, type Held, type Origin } from "./held.js";
import type { Job } from "./options.js";
import { Refusal } from "./refusal.js";
import { codeOf, noFlags, publish } from "./rules.js";
import type { RefreshReason } from "./types.js";
import type { Reply } from "./upstream.js";
import { size } from "./words.js";

/** What of a gate's refusals the module's codes stand for. */
const REFUSED: Record<string, RefreshReason> = {
  empty_refused: "empty-refused",
  mass_deletion: "mass-deletion",
  older: "older",
};

/** Definitions that PostHog just called current, or none because a policy wants it so. */
export interface Fresh {
  readonly definitions: Uint8Array;
  readonly digest: string;
  readonly origin: Origin;
  /** When PostHog was asked, in milliseconds. */
  readonly at: number;
  /** Why a policy put these in the place of definitions that did not come. */
  readonly cleared: RefreshReason | null;
}

/** A snapshot that may be written, and what the evaluator makes of it. */
export interface Sealed {
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly problems: string[];
}

/** What an answer says is current; of a 304, what is held. */
export async function freshOf(job: Job, { definitions, etag, at }: Reply, held: Held | undefined): Promise<Fresh> {
  const checkedAt = new Date(at).toISOString();
  if (definitions !== undefined) {
    const origin = { upstream: job.upstream, etag, fetchedAt: checkedAt, checkedAt };
    return { definitions, digest: await digestOf(definitions), origin, at, cleared: null };
  }
  // A 304 only comes to the etag of what is held.
  const { header, definitions: confirmed } = held as Held;
  const origin = { upstream: header.upstream, etag: etag ?? header.etag ?? undefined, fetchedAt: header.fetched_at, checkedAt };
  return { definitions: confirmed, digest: header.digest, origin, at, cleared: null };
}

/** No flags. Without an etag: the next answer is a whole one. */
export async function clearedBy(job: Job, reason: RefreshReason): Promise<Fresh> {
  const at = job.now();
  const time = new Date(at).toISOString();
  const definitions = noFlags();
  const origin = { upstream: job.upstream, etag: undefined, fetchedAt: time, checkedAt: time };
  return { definitions, digest: await digestOf(definitions), origin, at, cleared: reason };
}

/** Whether these are the definitions that a snapshot holds, from the same project and whole. */
export function isHeld(fresh: Fresh, { header }: Held): boolean {
  return header.digest === fresh.digest && isSame(header.upstream, fresh.origin.upstream) && (header.filter ?? null) === null;
}

/** Stands for a damaged snapshot: some bytes that are none. */
const DAMAGED = new Uint8Array(1);
const NOTHING = new Uint8Array();

/** The snapshot that takes the place of what is stored, held or damaged. Throws a `Refusal` if it may not. */
export function sealed(job: Job, fresh: Fresh, held: Held | undefined, isDamaged: boolean): Sealed {
  const { allowEmpty, force, maxRemoved } = job.policy;
  const sameProject = isSame(held?.header.upstream, fresh.origin.upstream);
  const gate = { allowEmpty, force, maxRemoved, sameProject, cleared: fresh.cleared !== null };
  const stored = held?.bytes ?? (isDamaged ? DAMAGED : NOTHING);
  let bytes: Uint8Array;
  try {
    bytes = publish(fresh.definitions, headerJson(fresh.digest, fresh.origin), stored, gate);
  } catch (error) {
    throw refusalOf(error, fresh);
  }
  // This module has just made it, so there is nothing to check.
  const ruleset = new Ruleset(bytes, frameOf(bytes)?.code?.start ?? 0);
  return { bytes, flags: ruleset.size, problems: ruleset.problems() };
}

function refusalOf(error: unknown, fresh: Fresh): unknown {
  const code = codeOf(error);
  const gated = REFUSED[code ?? ""];
  if (gated !== undefined) return new Refusal("stale", gated, (error as Error).message);
  if (code !== "invalid_json" && code !== "invalid_definitions") return error;
  const reason = code === "invalid_json" ? "parse-failed" : "invalid-shape";
  const text = `posthog answered 200 with ${size(fresh.definitions.length)}, not definitions: ${(error as Error).message}`;
  return new Refusal("error", reason, text);
}
