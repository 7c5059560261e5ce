/**
 * What needs Node's modules; works in Node, Deno and Bun.
 *
 * @packageDocumentation
 */
export { fileSource, type FileSourceOptions } from "../node/file-source.js";
export { fileFlagDefinitionCache, type FileFlagDefinitionCacheOptions } from "../node/file-cache.js";
export type { PathLike } from "../node/paths.js";
