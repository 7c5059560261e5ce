/**
 * Providers of flag definitions for posthog-node: read from any source, or fetched by one process for many.
 *
 * @packageDocumentation
 */
export { flagDefinitionCache, type FlagDefinitionCacheOptions } from "../posthog-node/reading.js";
export { sharedFlagDefinitionCache, type CacheStore, type SharedCacheOptions } from "../posthog-node/shared.js";
export { ioredisStore, redisStore, type IoredisClient, type NodeRedisClient } from "../posthog-node/redis.js";
export type { FlagDefinitionCacheData, FlagDefinitionCacheProvider, ReceivedDefinitions } from "../posthog-node/provider.js";
