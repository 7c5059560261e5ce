/**
 * OpenFeature on servers and at the edge: a provider for `@openfeature/server-sdk`.
 *
 * @packageDocumentation
 */
export { FlagpostProvider, type FlagpostProviderOptions } from "../openfeature/server.js";
