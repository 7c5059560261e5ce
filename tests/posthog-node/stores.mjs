/** The stores that are held to one contract, each opened empty: `cache(options)` makes a provider on it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileFlagDefinitionCache } from "flagpost/node";
import { sharedFlagDefinitionCache } from "flagpost/posthog-node";

export const PROJECT_KEY = "phc_shared";
const KEY = `posthog:flags:${PROJECT_KEY}`;

/** A store in memory with the contract of `CacheStore`; `fault` makes it throw in the methods it names. */
export function memoryStore() {
  const texts = new Map();
  const locks = new Map();
  const fault = new Set();
  const step = (name, work) => async (...args) => {
    if (fault.has(name)) throw new Error(`no ${name}`);
    return work(...args);
  };
  return {
    describe: "memory",
    texts,
    fault,
    get: step("get", (key) => texts.get(key) ?? null),
    set: step("set", (key, value) => void texts.set(key, value)),
    lock: step("lock", (key, owner, seconds) => {
      const held = locks.get(key);
      const expired = held === undefined || held.until <= Date.now();
      if (!expired && held.owner !== owner) return null;
      locks.set(key, { owner, until: Date.now() + seconds * 1000 });
      return expired ? "taken" : "kept";
    }),
    unlock: step("unlock", (key, owner) => {
      if (locks.get(key)?.owner === owner) locks.delete(key);
    }),
  };
}

function openMemory() {
  const store = memoryStore();
  return {
    cache: (options) => sharedFlagDefinitionCache(store, { projectKey: PROJECT_KEY, ...options }),
    read: async () => store.texts.get(KEY) ?? null,
    write: async (text) => void store.texts.set(KEY, text),
    clear: async () => void store.texts.delete(KEY),
    close: async () => {},
  };
}

function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), "flagpost-cache-"));
  const file = join(folder, `posthog-flags-${PROJECT_KEY}.json`);
  return {
    folder,
    cache: (options) => fileFlagDefinitionCache({ folder, projectKey: PROJECT_KEY, ...options }),
    read: async () => readFileSync(file, "utf8"),
    write: async (text) => writeFileSync(file, text),
    clear: async () => rmSync(file),
    close: async () => rmSync(folder, { recursive: true }),
  };
}

export const STORES = { memory: openMemory, folder: openFolder };
