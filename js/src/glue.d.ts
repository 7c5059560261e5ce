// What scripts/build-js.mjs makes of wasm-pack's output: see there.
declare module "evaluator-imports" {
  /** What the module imports, by its own names, of functions by the names that Rust gave them. */
  export function importsOf(functions: Record<string, WebAssembly.ImportValue>): WebAssembly.Imports;
}

declare module "compiler-glue" {
  export interface Glue {
    /**
     * A ruleset and its digest, of definitions as JSON or of a whole snapshot. Throws `Error` with a
     * member `flagpost`: `invalid_json`, `invalid_definitions` or `damaged_snapshot`.
     */
    compile(bytes: Uint8Array, options: { evaluationContexts?: string[] | undefined }): Uint8Array;
    imports: WebAssembly.Imports;
    start(exports: WebAssembly.Exports): void;
  }

  /** A fresh copy of the glue with a state of its own. */
  export function createGlue(): Glue;
}

declare module "evaluator-base64" {
  const base64: string;
  export default base64;
}

declare module "compiler-base64" {
  const base64: string;
  export default base64;
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
