import { causes } from "../causes.js";
import { FlagpostError } from "../errors.js";
import { clearedBy, freshOf, isHeld, sealed, type Fresh, type Sealed } from "./fresh.js";
import { etagFrom, factsOf, open, renewed, type Held } from "./held.js";
import type { Job } from "./options.js";
import { exitOf, Fault, Refusal } from "./refusal.js";
import { order } from "./rules.js";
import type { RefreshReason, RefreshReport, RefreshStatus, TargetContent } from "./types.js";
import { ask } from "./upstream.js";
import { count, short, size, sleep } from "./words.js";
import { write } from "./write.js";

/** How often the target is tried because other writers were faster. */
const ROUNDS = 8;
/** Longest pause between two rounds, in milliseconds; they begin much shorter. */
const LONGEST_PAUSE = 2000;

/** What a run reports of its target; `refresh` adds the rest. */
export type Outcome = Omit<RefreshReport, "attempts">;

/** The target in a run: what it held when it was last read, and how it is brought up to date. */
export class Place {
  #held: Held | undefined;
  #isDamaged = false;
  /** The version that was read; null: nothing was stored. */
  #version: string | null = null;

  private constructor(readonly job: Job) {}

  /** Reads the target. Gives an outcome where there is nothing to do. */
  static async open(job: Job): Promise<{ place: Place; closed: Outcome | undefined }> {
    const place = new Place(job);
    let stored: TargetContent | null;
    try {
      stored = await job.target.read();
    } catch (error) {
      const text = `${job.target.describe} cannot be read: ${causes(error)}; what is stored stays as it is`;
      return { place, closed: place.#outcome("error", "read-failed", text) };
    }
    await place.#saw(stored);
    return { place, closed: place.#pinned() };
  }

  /** Asks whether what is held is current. */
  async ask(): Promise<{ fresh: Fresh | Fault; attempts: number }> {
    const held = this.#held;
    const { reply, attempts } = await ask(this.job, held && etagFrom(held, this.job.upstream));
    return { fresh: reply instanceof Fault ? reply : await freshOf(this.job, reply, held), attempts };
  }

  /** Brings the target up to date, or says why it stays as it is. */
  async settle(fresh: Fresh | Fault): Promise<Outcome> {
    try {
      if (!(fresh instanceof Fault)) return await this.#bring(fresh);
      if (!this.#clears(fresh)) return this.#refused(fresh);
      return await this.#bring(await clearedBy(this.job, fresh.reason));
    } catch (error) {
      if (error instanceof Refusal) return this.#refused(error);
      throw error;
    }
  }

  /** Whether the policy wants the snapshot emptied because of what PostHog said. */
  #clears({ reason, at }: Fault): boolean {
    const { onQuota, clearColdAfter } = this.job.policy;
    if (reason === "quota") return onQuota === "clear";
    if (reason !== "cold-cache" || clearColdAfter === Infinity) return false;
    return this.#held === undefined || at === undefined || hasPassed(clearColdAfter, this.#held.header.checked_at, at);
  }

  /** Tries until the target holds the definitions, or somebody's newer ones. */
  async #bring(first: Fresh): Promise<Outcome> {
    let fresh = first;
    for (let round = 0; round < ROUNDS; round++) {
      const outcome = (await this.#step(fresh)) ?? this.#pinned();
      if (outcome !== undefined) return outcome;
      await sleep(Math.min(10 * 2 ** round, LONGEST_PAUSE) * Math.random());
      const compared = await this.#compare(fresh);
      if (compared !== undefined && "status" in compared) return compared;
      fresh = compared ?? fresh;
    }
    throw new Refusal("error", "write-conflict", "other writers were faster again and again");
  }

  /** One try. Nothing if somebody else wrote: what is there now was read. */
  async #step(fresh: Fresh): Promise<Outcome | undefined> {
    const held = this.#held;
    if (held !== undefined && isHeld(fresh, held)) return this.#unchanged(held, fresh);
    const made = sealed(this.job, fresh, held, this.#isDamaged);
    const stored = await this.#write(made.bytes);
    return stored && this.#updated(stored, made, fresh);
  }

  #updated(stored: Held, { flags, problems, bytes }: Sealed, { cleared, digest }: Fresh): Outcome {
    const status = flags === 0 ? "empty" : "updated";
    const what =
      cleared === null
        ? `${count(flags, "flag")}, ${size(bytes.length)}`
        : cleared === "quota"
          ? "posthog's quota is used up (402), and the policy is to clear"
          : "posthog's cache is cold (503), and the policy is to clear";
    const text = `${what}, digest ${short(digest)}…, ${this.#name}`;
    return { ...this.#outcome(status, cleared, text, stored), written: true, flags, problems };
  }

  /** Renews the header if its etag is another or its time is up. */
  async #unchanged(held: Held, { origin, cleared, at }: Fresh): Promise<Outcome | undefined> {
    const { heartbeat } = this.job.policy;
    const { etag, checked_at, fetched_at, digest } = held.header;
    const status = cleared === null ? "unchanged" : "empty";
    const text = `definitions of ${fetched_at}, digest ${short(digest)}…, ${this.#name}`;
    const isDue = heartbeat > 0 && hasPassed(heartbeat, checked_at, at);
    if ((etag ?? undefined) === origin.etag && !isDue) return this.#outcome(status, cleared, text, held);
    try {
      const stored = await this.#write(renewed(held, origin.etag, new Date(at).toISOString()));
      return stored && { ...this.#outcome(status, cleared, `${text} (checked-at renewed)`, stored), written: true };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal("error", error.reason, `the definitions are current, but checked-at could not be renewed: ${error.message}`);
    }
  }

  /** What was written, as it reads back; nothing if another writer was faster. */
  async #write(bytes: Uint8Array): Promise<Held | undefined> {
    const result = await write(this.job.target, bytes, this.#version);
    if ("ours" in result) return result.ours;
    await this.#saw(result.theirs);
    return undefined;
  }

  /**
   * After somebody else wrote: whose definitions are newer? If they do not tell, PostHog does, asked after
   * theirs were read. Gives what it said if that is not what is stored.
   */
  async #compare(fresh: Fresh): Promise<Fresh | Outcome | undefined> {
    const theirs = this.#held;
    if (theirs === undefined) return undefined;
    // Whoever wrote meanwhile had definitions, which beats having none.
    if (isHeld(fresh, theirs) || fresh.cleared !== null) return this.#superseded(theirs);
    const found = order(theirs.definitions, fresh.definitions);
    if (found === "older") return undefined;
    if (found === "newer") return this.#superseded(theirs);
    const { fresh: newer } = await this.ask();
    if (newer instanceof Fault) throw newer;
    return isHeld(newer, theirs) ? this.#superseded(theirs) : newer;
  }

  async #saw(stored: TargetContent | null): Promise<void> {
    this.#version = stored?.version ?? null;
    this.#held = undefined;
    this.#isDamaged = false;
    // JavaScript's own stores say undefined.
    if (!stored) return;
    try {
      this.#held = await open(stored);
    } catch (error) {
      // A module that broke off has not judged what is stored.
      if (error instanceof FlagpostError && error.code !== "damaged_snapshot") throw error;
      this.#isDamaged = true;
    }
  }

  get #name(): string {
    return this.job.target.describe;
  }

  #pinned(): Outcome | undefined {
    const held = this.#held;
    if (held?.header.pinned !== true) return undefined;
    const { digest, fetched_at } = held.header;
    const text = `${this.#name} is pinned to digest ${short(digest)}… of ${fetched_at}, \`refresher unpin\` lets it go on`;
    return this.#outcome("skipped", "pinned", text, held);
  }

  #superseded(theirs: Held): Outcome {
    const text = `another refresher stored the definitions of ${theirs.header.fetched_at} in ${this.#name} meanwhile`;
    return this.#outcome("skipped", "superseded", text, theirs);
  }

  /** An outcome that leaves the target as it was found. */
  #refused(refusal: Refusal): Outcome {
    const held = this.#held;
    const status = refusal.reason === "cold-cache" && held !== undefined ? "stale" : refusal.status;
    const nothing = this.#isDamaged ? "the damaged snapshot is still there" : "no snapshot is stored yet";
    const kept = held === undefined ? nothing : `kept the last good snapshot from ${held.header.fetched_at}`;
    return this.#outcome(status, refusal.reason, `${refusal.message}; ${kept} in ${this.#name}`, held);
  }

  #outcome(status: RefreshStatus, reason: RefreshReason | null, message: string, held?: Held): Outcome {
    const snapshot = held === undefined ? null : factsOf(held);
    const { describe: store } = this.job.target;
    return { status, reason, exitCode: exitOf(reason), message, flags: null, problems: [], store, written: false, snapshot };
  }
}

/**
 * Whether so many seconds lie between a moment, as RFC 3339, and now; of a text that is none they do. In
 * either direction: a clock that was ahead once must not stop what is due until its time has come.
 */
function hasPassed(seconds: number, since: string, now: number): boolean {
  const then = Date.parse(since);
  return Number.isNaN(then) || Math.abs(now - then) >= seconds * 1000;
}
