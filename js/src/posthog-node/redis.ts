import type { CacheStore } from "./shared.js";

/** What is used of a client of `redis` (node-redis), 4 or newer. */
export interface NodeRedisClient {
  get(key: string): Promise<any>;
  set(key: string, value: string): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** What is used of a client of `ioredis`. */
export interface IoredisClient {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
}

const LOCK = `
if redis.call("set", KEYS[1], ARGV[1], "PX", ARGV[2], "NX") then return "taken" end
if redis.call("get", KEYS[1]) ~= ARGV[1] then return false end
redis.call("pexpire", KEYS[1], ARGV[2])
return "kept"`;

const UNLOCK = `
if redis.call("get", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("del", KEYS[1])`;

/** A Redis or Valkey server behind a connected client of `redis`, for `sharedFlagDefinitionCache`. */
export function redisStore(client: NodeRedisClient): CacheStore {
  return storeOf(client, (script, key, ...args) => client.eval(script, { keys: [key], arguments: args }));
}

/** A Redis or Valkey server behind a client of `ioredis`, for `sharedFlagDefinitionCache`. */
export function ioredisStore(client: IoredisClient): CacheStore {
  return storeOf(client, (script, key, ...args) => client.eval(script, 1, key, ...args));
}

function storeOf(
  client: Pick<IoredisClient, "get" | "set">,
  run: (script: string, key: string, ...args: string[]) => Promise<unknown>,
): CacheStore {
  return {
    describe: "redis",
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    lock: async (key, owner, seconds) => (await run(LOCK, key, owner, String(Math.ceil(seconds * 1000)))) as "taken" | "kept" | null,
    unlock: (key, owner) => run(UNLOCK, key, owner),
  };
}
