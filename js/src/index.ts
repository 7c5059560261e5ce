/**
 * PostHog feature flags at the edge: load definitions once, evaluate for any user, synchronously.
 *
 * @packageDocumentation
 */
export { load } from "./definitions.js";
export { evaluate, evaluateFlag } from "./evaluate.js";
export { FlagpostError, type FlagpostErrorCode } from "./errors.js";
export { createReader, type Reader, type ReaderOptions, type ReaderStats, type ReaderStatus } from "./reader.js";
export { denoKvSource, type DenoKv, type DenoKvSourceOptions } from "./sources/deno-kv.js";
export { writeDenoKv, type DenoKvWriter, type WriteDenoKvOptions } from "./sources/deno-kv-writer.js";
export { embeddedSource, type Embedded, type EmbeddedModule } from "./sources/embedded.js";
export { kvSource, type KvBinding, type KvSourceOptions } from "./sources/kv.js";
export { memorySource, type MemorySource } from "./sources/memory.js";
export { type SourceLike } from "./sources/of.js";
export { r2Source, type R2Bucket, type R2SourceOptions } from "./sources/r2.js";
export { urlSource, type UrlSourceOptions } from "./sources/url.js";
export { DEFAULT_KEY, type Source, type SourceResult } from "./source.js";
export { createExposures, type Exposures, type ExposuresOptions, type RecordOptions } from "./exposures/create.js";
export { flagCalledEvent, type CapturedEvent, type FlagCall, type FlagCalledEventOptions } from "./exposures/event.js";
export { createFlags, type DefinitionsReader, type FlagsOptions } from "./flags/create.js";
export { remoteFallback, type RemoteFallbackOptions } from "./remote/fallback.js";
export type { RemoteAnswers, RemoteFallback, RemoteFlag } from "./remote/types.js";
export type { PostFetch } from "./post.js";
export type { FlagValue, FlagValues, Overrides } from "./flags/overrides.js";
export type {
  AnyFlags,
  FlagResult,
  Flags,
  FlagsAndPayloads,
  FlagType,
  FlagTypes,
  ForUserOptions,
  KeyOf,
  NoValueReason,
  PayloadOf,
  RequestContext,
  SnapshotState,
  UserFlags,
  ValueOf,
} from "./flags/types.js";
export type {
  Answer,
  Answers,
  Definitions,
  EvaluateOptions,
  Loadable,
  LoadOptions,
  Reason,
  SnapshotInfo,
  User,
} from "./types.js";
