/**
 * OpenFeature in browsers: a provider for `@openfeature/web-sdk`.
 *
 * @packageDocumentation
 */
export { FlagpostProvider, type FlagpostProviderOptions } from "../openfeature/web.js";
