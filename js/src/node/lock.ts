import { open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { isMissing } from "./errors.js";

/** So many generations stay behind the current one, for those that are just listing them. */
const KEPT = 2;

/** What a lock's file says: who holds it, and until when. */
interface Holding {
  readonly generation: number;
  readonly owner: string;
  readonly until: number;
  /** For how many milliseconds it was taken. */
  readonly lasts: number;
}

/**
 * A lock as a row of files `NAME.1`, `NAME.2`, …: the last one counts. Taking it, taking it over when it has
 * expired, extending it and giving it back are the same step: creating the next file, which the file
 * system lets only one process do. No file is ever written twice, and the last one is never removed, so
 * nobody can remove what another has just created.
 */
export class FileLock {
  readonly #folder: string;
  readonly #name: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** Takes the lock, or extends it; null when somebody else holds it. */
  async take(owner: string, seconds: number): Promise<"taken" | "kept" | null> {
    const last = await this.#last(seconds);
    const expired = last === undefined || isOver(last);
    if (!expired && last.owner !== owner) return null;
    if (!(await this.#create(last, owner, seconds * 1000))) return null;
    return expired ? "taken" : "kept";
  }

  /** Gives the lock back if it is this owner's. */
  async release(owner: string): Promise<void> {
    const last = await this.#last(0);
    if (last?.owner === owner) await this.#create(last, "", 0);
  }

  /** @param seconds How long a file counts of which nothing can be read: its writer is at it, or was killed. */
  async #last(seconds: number): Promise<Holding | undefined> {
    const generation = Math.max(0, ...(await this.#generations()));
    if (generation === 0) return undefined;
    const path = this.#path(generation);
    try {
      const [owner = "", until, lasts, end] = (await readFile(path, "utf8")).split("\n");
      if (end !== undefined) return { generation, owner, until: Number(until), lasts: Number(lasts) };
      const patience = seconds * 1000;
      return { generation, owner: "", until: (await stat(path)).mtimeMs + patience, lasts: patience };
    } catch (error) {
      // Others have gone on and tidied up.
      if (isMissing(error)) return this.#last(seconds);
      throw error;
    }
  }

  async #create(last: Holding | undefined, owner: string, lasts: number): Promise<boolean> {
    const generation = (last?.generation ?? 0) + 1;
    const path = this.#path(generation);
    try {
      const file = await open(path, "wx");
      await file.writeFile(`${owner}\n${Date.now() + lasts}\n${lasts}\n`).finally(() => file.close());
    } catch (error) {
      if ((error as { code?: string }).code === "EEXIST") return false;
      throw error;
    }
    const all = await this.#generations();
    if (Math.max(...all) > generation) {
      // What was listed was long over: others have been here before, and have tidied up.
      await rm(path, { force: true });
      return false;
    }
    await Promise.all(all.filter((other) => other < generation - KEPT).map((other) => rm(this.#path(other), { force: true })));
    return true;
  }

  async #generations(): Promise<number[]> {
    const prefix = `${this.#name}.`;
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const ours = names.filter((name) => name.startsWith(prefix));
    return ours.map((name) => name.slice(prefix.length)).filter((end) => /^\d+$/.test(end)).map(Number);
  }

  #path(generation: number): string {
    return join(this.#folder, `${this.#name}.${generation}`);
  }
}

/** An end that is further away than the lock lasts was told by a clock that was ahead and has been set since. */
function isOver({ until, lasts }: Holding): boolean {
  const left = until - Date.now();
  return left <= 0 || left > 2 * lasts;
}
