// What scripts/build-js.mjs makes of wasm-pack's output: see there.
declare module "evaluator-glue" {
  /** A ruleset inside the evaluator's memory. */
  export interface Evaluator {
    /** Numbers of the flags outside the evaluation contexts, rising; empty without contexts. */
    left_out(): Uint32Array;
    /** Address of that many bytes for one request: see `pack.ts`. Valid until the next call. */
    room(bytes: number): number;
    /** The code of one flag for the user packed in `length` bytes. */
    flag(id: number, length: number, nowMs: number): number;
    /** Address of an `Int32` code per asked flag; 0 when the request is malformed. */
    flags(length: number, nowMs: number): number;
    free(): void;
  }

  export interface Glue {
    Evaluator: {
      /**
       * Reads a ruleset that begins at `start`. The bytes end with the digest of all before it; they
       * are copied. Throws `Error` with a member `flagpost`: `unknown_ruleset` or `damaged_snapshot`.
       */
      load(bytes: Uint8Array, start: number, evaluationContexts?: string[]): Evaluator;
    };
    imports: WebAssembly.Imports;
    start(exports: WebAssembly.Exports): void;
  }

  /** A fresh copy of the glue with a state of its own. */
  export function createGlue(): Glue;
}

declare module "compiler-glue" {
  export interface Glue {
    /**
     * A ruleset and its digest, of definitions as JSON or of a whole snapshot. Throws `Error` with a
     * member `flagpost`: `invalid_json`, `invalid_definitions` or `damaged_snapshot`.
     */
    compile(bytes: Uint8Array, evaluationContexts?: string[]): Uint8Array;
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
