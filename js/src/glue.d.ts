// What scripts/build-js.mjs makes of wasm-pack's output: see there.
declare module "evaluator-imports" {
  /** What the module imports, by its own names, of functions by the names that Rust gave them. */
  export function importsOf(functions: Record<string, WebAssembly.ImportValue>): WebAssembly.Imports;
}

declare module "compiler-glue" {
  export interface Glue {
    /**
     * A ruleset and its digest, of definitions as JSON or of a whole snapshot. Throws `Error` with a
     * member `flagpost`: `invalid_json`, `invalid_definitions` or `damaged_snapshot`. The evaluation
     * contexts lie one behind the other: u32 length, UTF-8.
     */
    compile(bytes: Uint8Array, evaluationContexts: Uint8Array): Uint8Array;
    /** Name and version of what writes snapshots with this module. */
    generator(): string;
    /**
     * Checks a whole snapshot: where its header and its definitions begin and end. Throws as `compile`:
     * `damaged_snapshot`.
     */
    inspect(snapshot: Uint8Array): Uint32Array;
    /**
     * Definitions as a snapshot with this header, if they may replace what is `held`: a snapshot, a damaged
     * one, or no bytes. Choices are those of `refresh/rules.ts`. Throws as `compile`; where the gate is shut
     * the member is `empty_refused`, `mass_deletion` or `older`.
     */
    publish(definitions: Uint8Array, header: string, held: Uint8Array, choices: number, maxRemoved: number): Uint8Array;
    /** What takes the place of definitions that a policy clears. */
    no_flags(): Uint8Array;
    /** A snapshot with another header, compiled anew unless this version wrote it. Throws as `inspect`. */
    renew(snapshot: Uint8Array, header: string, writtenBy: string): Uint8Array;
    /** Whether definitions are newer than others: 1, older: -1, neither: 0, not to be told: 2. */
    order(definitions: Uint8Array, others: Uint8Array): number;
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
