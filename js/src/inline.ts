import { decodeBase64 } from "./base64.js";

/** A module that travels inside the script; its first use decodes and compiles it. */
export function inlineModule(base64: string): () => WebAssembly.Module {
  let module: WebAssembly.Module | undefined;
  return () => (module ??= new WebAssembly.Module(decodeBase64(base64)));
}
