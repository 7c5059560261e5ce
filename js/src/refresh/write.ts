import { sameTail } from "../bytes.js";
import { causes } from "../causes.js";
import { bytesOf, open, type Held } from "./held.js";
import { Refusal } from "./refusal.js";
import type { Target, TargetContent } from "./types.js";
import { sleep } from "./words.js";

/**
 * Pauses in milliseconds before a snapshot that does not read back is read again: stores that copy their
 * data around may show the previous one for a moment.
 */
const PAUSES = [0, 300, 1000, 3000];

/** What a write came to: the snapshot as it reads back, or what another writer who was faster has stored. */
export type Written = { readonly ours: Held } | { readonly theirs: TargetContent | null };

/**
 * Writes a snapshot over the version that is expected, and reads it back. Only what reads back counts as
 * stored. Throws a `Refusal`.
 */
export async function write(target: Target, bytes: Uint8Array, expected: string | null): Promise<Written> {
  const { maxBytes } = target;
  if (maxBytes !== undefined && bytes.length > maxBytes) {
    throw new Refusal("error", "store-limit", `${bytes.length} bytes are more than the ${maxBytes} it takes`);
  }
  let result: "written" | "conflict";
  try {
    result = await target.write(bytes, expected);
  } catch (error) {
    // The answer may be what was lost, and not the write.
    const found = await target.read().then((stored) => look(stored, bytes)).catch(() => undefined);
    if (found !== undefined && "ours" in found) return found;
    throw new Refusal("error", "write-failed", `${target.describe} cannot be written: ${causes(error)}`);
  }
  if (result === "written") return settled(target, bytes, expected);
  try {
    return await look(await target.read(), bytes);
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal("error", "write-failed", `${target.describe} cannot be read: ${causes(error)}`);
  }
}

async function look(stored: TargetContent | null, bytes: Uint8Array): Promise<Written> {
  if (!stored || !holds(stored, bytes)) return { theirs: stored };
  try {
    return { ours: await open(stored) };
  } catch (error) {
    throw new Refusal("error", "write-unverified", causes(error));
  }
}

/**
 * Reads back what was written until it shows, or another writer's snapshot does: stores that only compare
 * before they write can let two writers through.
 */
async function settled(target: Target, bytes: Uint8Array, before: string | null): Promise<Written> {
  let found = "";
  for (const pause of PAUSES) {
    if (pause > 0) await sleep(pause);
    let stored: TargetContent | null;
    try {
      stored = await target.read();
    } catch (error) {
      found = causes(error);
      continue;
    }
    if (!stored) found = "it holds nothing";
    else if (stored.version === before) found = "it holds what it held before";
    else {
      const seen = await look(stored, bytes);
      if ("ours" in seen || (await isGood(stored))) return seen;
      found = `it holds ${stored.bytes.byteLength} bytes of something else`;
    }
  }
  throw new Refusal("error", "write-unverified", `what was written to ${target.describe} does not read back: ${found}`);
}

function isGood(stored: TargetContent): Promise<boolean> {
  return open(stored).then(
    () => true,
    () => false,
  );
}

function holds(stored: TargetContent, bytes: Uint8Array): boolean {
  const found = bytesOf(stored);
  return found.length === bytes.length && sameTail(found, bytes, 0);
}
