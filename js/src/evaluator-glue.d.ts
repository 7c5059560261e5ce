// What scripts/build-js.mjs makes of wasm-pack's output: see there.
declare module "evaluator-glue" {
  /** All small tables of a ruleset, read once per load. Indices in answers refer to them. */
  export interface Tables {
    keys: string[];
    slots: string[];
    groupTypes: string[];
    strings: string[];
    payloads: { json: string; truthy: boolean }[];
    problems: string[];
    /** A snapshot's header as JSON text; null for plain definitions. */
    header: string | null;
  }

  export interface Evaluator {
    tables(): Tables;
    /** Two numbers per asked flag: see `answers.ts`. */
    evaluate(packed: Uint8Array, nowMs: number, flags?: Uint32Array): Int32Array;
    free(): void;
  }

  export interface Glue {
    Evaluator: { load(bytes: Uint8Array, evaluationContexts?: string[]): Evaluator };
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

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
