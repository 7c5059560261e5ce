// Compiled by package.test.mjs, never run.
import { createReader, kvSource } from "flagpost";
import { fileFlagDefinitionCache, fileSource } from "flagpost/node";
import { flagDefinitionCache, redisStore, sharedFlagDefinitionCache, type CacheStore } from "flagpost/posthog-node";
import { PostHog, type FlagDefinitionCacheInput, type FlagDefinitionCacheProvider } from "posthog-node";

declare const store: CacheStore;
declare const binding: { get(key: string, options: { type: "arrayBuffer" }): Promise<ArrayBuffer | null> };
const source = fileSource(new URL("file:///snapshots"));
createReader({ source });
const providers = [
  flagDefinitionCache({ source }),
  flagDefinitionCache({ source: kvSource(binding), ttl: 60, onError: ({ code }) => code }),
  sharedFlagDefinitionCache(store, { projectKey: "phc_x", lockSeconds: 60, allowEmpty: true }),
  fileFlagDefinitionCache({ folder: "flags", projectKey: "phc_x" }),
];
const older: FlagDefinitionCacheProvider[] = providers;
const newer: FlagDefinitionCacheProvider<FlagDefinitionCacheInput>[] = providers;
for (const flagDefinitionCacheProvider of [...older, ...newer]) new PostHog("phc_x", { flagDefinitionCacheProvider });
// @ts-expect-error the project's key is needed
sharedFlagDefinitionCache(store, {});
// @ts-expect-error a folder is needed
fileFlagDefinitionCache({ projectKey: "phc_x" });
// @ts-expect-error this runs no scripts
redisStore({ get: async () => null, set: async () => "OK" });
