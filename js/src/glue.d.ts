// What scripts/build-js.mjs makes of wasm-pack's output: see there.
declare module "evaluator-glue" {
  /** A ruleset inside the evaluator's memory. */
  export interface Evaluator {
    /** Numbers of the flags outside the evaluation contexts, rising; empty without contexts. */
    left_out(): Uint32Array;
    /** Address for requests of up to so many bytes: see `pack.ts`. Valid until the next call of this. */
    room(bytes: number): number;
    /** The code of one flag for the user in the first `length` bytes of the room; -2^31 when they cannot be read. */
    flag(id: number, nowMs: number, length: number): number;
    /** Address of an `Int32` code per flag that the first `length` bytes ask for; 0 when they cannot be read. */
    flags(nowMs: number, length: number): number;
    free(): void;
  }

  export interface Glue {
    Evaluator: {
      /**
       * Reads a ruleset that begins at `start`. The bytes end with the digest of all before it; they
       * are copied. The evaluation contexts lie one behind the other: u32 length, UTF-8.
       */
      load(bytes: Uint8Array, start: number, evaluationContexts: Uint8Array): Evaluator | undefined;
      /** Why the last `load` gave nothing: 1 damaged bytes, 2 a ruleset of another version, or for no contexts. */
      fault(): number;
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
