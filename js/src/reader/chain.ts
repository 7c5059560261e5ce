import { load } from "../definitions.js";
import { FlagpostError } from "../errors.js";
import type { Source } from "../source.js";
import type { Definitions, LoadOptions, SnapshotInfo } from "../types.js";
import { noSnapshot, readError, tooLate } from "./errors.js";
import { within } from "./timers.js";

/** Definitions, with the source that gave them: its place in the chain, and what it calls their version. */
export interface Held {
  readonly definitions: Definitions;
  readonly from: number;
  readonly version: string;
}

/** What asking the sources came to. */
export interface Found {
  /** What is to be used from now on; undefined: what was at hand. */
  readonly held: Held | undefined;
  /** Whether a source gave, or confirmed, what is used from now on. */
  readonly good: boolean;
  /** The failures of the sources that were passed over. */
  readonly errors: readonly FlagpostError[];
}

/** Sources in the order in which they are asked. Keeps data only. */
export class Chain {
  readonly #sources: readonly Source[];
  readonly #timeout: number;
  readonly #options: LoadOptions;
  /** By place: what a source gave that was older than what was at hand. */
  readonly #declined: ({ version: string; info: SnapshotInfo | null } | undefined)[] = [];

  constructor(sources: readonly Source[], timeoutSeconds: number, options: LoadOptions) {
    this.#sources = sources;
    this.#timeout = timeoutSeconds;
    this.#options = options;
  }

  /** What is read, for messages. */
  get describe(): string {
    return this.#sources.map(({ describe }) => describe).join(", else ");
  }

  /** Milliseconds after which `read` has ended, where there are timers and whoever began it goes on. */
  get patienceMs(): number {
    return this.#sources.length * this.#timeout * 1000 + 1000;
  }

  /** The name of a source by its place. */
  nameOf(place: number): string | null {
    return this.#sources[place]?.describe ?? null;
  }

  /** Asks the sources in order until one is good. Throws nothing. */
  async read(atHand: Held | undefined): Promise<Found> {
    const errors: FlagpostError[] = [];
    for (const [place, source] of this.#sources.entries()) {
      try {
        return { ...(await this.#ask(source, place, atHand)), errors };
      } catch (cause) {
        errors.push(readError(cause, source.describe));
      }
    }
    return { held: undefined, good: false, errors };
  }

  async #ask(source: Source, place: number, atHand: Held | undefined): Promise<{ held: Held | undefined; good: boolean }> {
    const known = this.#known(place, atHand);
    const reading = source.read(known === undefined ? undefined : { version: known });
    const result = await within(this.#timeout * 1000, reading, () => tooLate(source, this.#timeout));
    if (result === null) throw noSnapshot(source);
    if (result === "unchanged") {
      if (known === undefined) throw new FlagpostError("source_failed", 'it answered "unchanged" to the first read');
      return { held: undefined, good: place === atHand?.from };
    }
    const definitions = load(result.bytes, this.#options);
    if (atHand !== undefined && place > atHand.from && !isNewer(definitions.info, atHand.definitions.info)) {
      this.#declined[place] = { version: result.version, info: definitions.info };
      definitions.free();
      return { held: undefined, good: false };
    }
    return { held: { definitions, from: place, version: result.version }, good: true };
  }

  /** The version of a source whose "unchanged" is of use: it is at hand, or would be declined again. */
  #known(place: number, atHand: Held | undefined): string | undefined {
    if (atHand === undefined) return undefined;
    if (place === atHand.from) return atHand.version;
    const declined = this.#declined[place];
    if (declined === undefined || place < atHand.from || isNewer(declined.info, atHand.definitions.info)) return undefined;
    return declined.version;
  }
}

/** Whether PostHog confirmed one later than the other or, where that is the same, sent it later. */
function isNewer(one: SnapshotInfo | null, other: SnapshotInfo | null): boolean {
  const checked = timeOf(one?.checkedAt) - timeOf(other?.checkedAt);
  return checked > 0 || (checked === 0 && timeOf(one?.fetchedAt) > timeOf(other?.fetchedAt));
}

/** Definitions that do not say how old they are count as older than all others. */
function timeOf(text: string | undefined): number {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? 0 : ms;
}
