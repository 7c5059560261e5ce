import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { FlagpostError } from "../errors.js";
import type { FlagDefinitionCacheProvider } from "../posthog-node/provider.js";
import { sharedFlagDefinitionCache, type CacheStore, type SharedCacheOptions } from "../posthog-node/shared.js";
import { isMissing } from "./errors.js";
import { FileLock } from "./lock.js";
import { pathOf, type PathLike } from "./paths.js";

/** Options of `fileFlagDefinitionCache`. */
export interface FileFlagDefinitionCacheOptions extends Omit<SharedCacheOptions, "key"> {
  /** A folder that all processes share; it is made when it is missing. */
  folder: PathLike;
}

/**
 * Lets the processes of one machine that use posthog-node fetch definitions once: one fetches, the others
 * read `posthog-flags-KEY.json` in a folder, which the refresher's `--posthog-node-cache` writes as well.
 *
 * ```ts
 * const posthog = new PostHog("phc_…", {
 *   secretKey: process.env.POSTHOG_SECRET_KEY,
 *   flagDefinitionCacheProvider: fileFlagDefinitionCache({ folder: "/var/lib/app/flags", projectKey: "phc_…" }),
 * });
 * ```
 */
export function fileFlagDefinitionCache(options: FileFlagDefinitionCacheOptions): FlagDefinitionCacheProvider {
  const { folder, projectKey, ...others } = options;
  if (!/^[\w-]+$/.test(projectKey)) {
    throw new FlagpostError("invalid_options", 'projectKey is the key that clients are made with: "phc_…"');
  }
  return sharedFlagDefinitionCache(new FileStore(pathOf(folder)), { ...others, projectKey, key: `posthog-flags-${projectKey}.json` });
}

class FileStore implements CacheStore {
  readonly describe: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.describe = `the folder ${folder}`;
    this.#folder = folder;
  }

  async get(key: string): Promise<string | null> {
    try {
      return await readFile(join(this.#folder, key), "utf8");
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Replaces the file whole, or not at all. */
  async set(key: string, value: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, key);
    const draft = join(this.#folder, `.${key}.${crypto.randomUUID()}.tmp`);
    try {
      const file = await open(draft, "wx");
      await file.writeFile(value).then(() => file.sync()).finally(() => file.close());
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  async lock(key: string, owner: string, seconds: number): Promise<"taken" | "kept" | null> {
    await mkdir(this.#folder, { recursive: true });
    return this.#lockOf(key).take(owner, seconds);
  }

  async unlock(key: string, owner: string): Promise<void> {
    await this.#lockOf(key).release(owner);
  }

  /** Without colons, which not every system takes in a file's name. */
  #lockOf(key: string): FileLock {
    return new FileLock(this.#folder, key.replaceAll(":", "."));
  }
}
