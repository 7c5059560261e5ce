import { digestOf } from "../digest.js";
import { decodeText } from "../texts.js";
import type { Upstream } from "./options.js";
import { generator, inspect, renew } from "./rules.js";
import type { SnapshotFacts, TargetContent } from "./types.js";
import { short } from "./words.js";

/** The version of the header's format that is written. */
const FORMAT = 1;

/** What a snapshot says of itself: `engine/src/snapshot.rs` says what the members are. */
interface Header {
  readonly etag?: string | null;
  readonly digest: string;
  readonly fetched_at: string;
  readonly checked_at: string;
  readonly generator: string;
  readonly upstream?: Upstream | null;
  readonly pinned?: boolean;
  readonly filter?: string | null;
}

/** A good snapshot out of a target. */
export interface Held {
  readonly header: Header;
  readonly bytes: Uint8Array;
  readonly version: string;
  readonly definitions: Uint8Array;
}

/** Where definitions come from: what a header says beside their digest. Times are RFC 3339. */
export interface Origin {
  readonly upstream: Upstream | null | undefined;
  readonly etag: string | undefined;
  readonly fetchedAt: string;
  readonly checkedAt: string;
}

/** Checks what a target gave: whole, and holding the definitions its header names. Throws what is wrong with it. */
export async function open(stored: TargetContent): Promise<Held> {
  const { version } = stored;
  const bytes = bytesOf(stored);
  const parts = inspect(bytes);
  const header = headerOf(parts.header);
  const found = await digestOf(parts.definitions);
  if (header.digest !== found) {
    throw new Error(`its header names ${short(header.digest)}, and its definitions are ${short(found)}`);
  }
  return { header, bytes, version, definitions: parts.definitions };
}

/** What a target gave, as bytes. */
export function bytesOf({ bytes }: TargetContent): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
}

/** The etag of a snapshot's definitions, if this upstream gave it and none of them are left out. */
export function etagFrom({ header }: Held, upstream: Upstream): string | undefined {
  const asked = isSame(header.upstream, upstream) && (header.filter ?? null) === null;
  return asked && header.etag ? header.etag : undefined;
}

export function isSame(one: Upstream | null | undefined, other: Upstream | null | undefined): boolean {
  return one?.host === other?.host && one?.project === other?.project;
}

/** The header of new definitions, as JSON. */
export function headerJson(digest: string, { etag, fetchedAt, checkedAt, upstream }: Origin): string {
  return JSON.stringify({
    format: FORMAT,
    etag,
    digest,
    fetched_at: fetchedAt,
    checked_at: checkedAt,
    generator: generator(),
    upstream: upstream ?? undefined,
  });
}

/** The same snapshot with another etag and time of check. Members that another version wrote stay. */
export function renewed({ bytes, header }: Held, etag: string | undefined, checkedAt: string): Uint8Array {
  const members: Record<string, unknown> = { ...header, etag, checked_at: checkedAt, generator: generator() };
  // As the refresher writes them, so that the same snapshot is the same bytes.
  const sorted = Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
  return renew(bytes, JSON.stringify(sorted), header.generator);
}

export function factsOf({ header, bytes }: Held): SnapshotFacts {
  const { digest, etag, fetched_at: fetchedAt, checked_at: checkedAt } = header;
  return { digest, etag: etag ?? null, fetchedAt, checkedAt, bytes: bytes.length };
}

function headerOf(bytes: Uint8Array): Header {
  const header = JSON.parse(decodeText(bytes)) as Header;
  const texts = [header?.digest, header?.fetched_at, header?.checked_at, header?.generator];
  if (texts.every((text) => typeof text === "string")) return header;
  throw new Error("the snapshot's header cannot be read");
}
