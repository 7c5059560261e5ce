import { FlagpostError, type FlagpostErrorCode } from "./errors.js";
import { Evaluator, evaluatorImports, type Exports } from "./evaluator.js";

/** One running copy of the evaluator module. */
export class Instance {
  readonly exports: Exports;
  #bytes!: Uint8Array;
  #words!: Uint32Array;
  #codes!: Int32Array;

  constructor(provider: () => WebAssembly.Module) {
    this.exports = start(provider, evaluatorImports(this)) as Exports;
    this.#refresh();
  }

  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes;
  }

  get words(): Uint32Array {
    if (this.#words.length === 0) this.#refresh();
    return this.#words;
  }

  /** The memory as codes: see `answers.ts`. */
  get codes(): Int32Array {
    if (this.#codes.length === 0) this.#refresh();
    return this.#codes;
  }

  /**
   * Reads a ruleset that begins at `start`. The bytes end with the digest of all before it; they are
   * copied. The evaluation contexts lie one behind the other: u32 length, UTF-8.
   */
  load(bytes: Uint8Array, start: number, evaluationContexts: Uint8Array): Evaluator | undefined {
    const { exports } = this;
    // These the module frees.
    const place = exports.__wbindgen_malloc(bytes.length, 1) >>> 0;
    const contexts = exports.__wbindgen_malloc(evaluationContexts.length, 1) >>> 0;
    this.bytes.set(bytes, place);
    this.bytes.set(evaluationContexts, contexts);
    const address = exports.evaluator_load(place, bytes.length, start, contexts, evaluationContexts.length);
    return address === 0 ? undefined : new Evaluator(exports, address);
  }

  /** Why the last `load` gave nothing: 1 damaged bytes, 2 a ruleset of another version, or for no contexts. */
  fault(): number {
    return this.exports.evaluator_fault();
  }

  /** Memory that grew is another buffer; views of the one before are empty. */
  #refresh(): void {
    const { buffer } = this.exports.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#codes = new Int32Array(buffer);
  }
}

/** A ruleset inside an instance. */
export interface Handle {
  readonly instance: Instance;
  readonly evaluator: Evaluator;
}

let moduleOf: () => WebAssembly.Module;
let current: Instance | undefined;

/** Each entry says where its WebAssembly module comes from; nothing is done before the first use. */
export function provideModule(provider: () => WebAssembly.Module): void {
  moduleOf = provider;
}

/** The running instance; the first use starts it. */
export function instance(): Instance {
  return (current ??= new Instance(moduleOf));
}

/** Starts a module; its exports. */
export function start(provider: () => WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Exports {
  try {
    return new WebAssembly.Instance(provider(), imports).exports;
  } catch (error) {
    if (error instanceof RangeError) {
      const message = `the evaluator could not start (${String(error)}): no stack or no memory is left; the next call tries again`;
      throw new FlagpostError("trap", message, { cause: error });
    }
    throw new FlagpostError(
      "no_webassembly",
      `this runtime refused to start the evaluator (${String(error)}): let its bundler resolve "flagpost" ` +
        'with the export condition "workerd" or "edge-light"',
      { cause: error },
    );
  }
}

/** Whether a handle's instance still runs: after a trap its memory cannot be trusted. */
export function isAlive(handle: Handle): boolean {
  return handle.instance === current;
}

/** Frees a ruleset, unless a trap has taken its instance already. */
export function release(handle: Handle): void {
  if (isAlive(handle)) handle.evaluator.free();
}

/**
 * What to throw for an error that came out of a module. Those that it reports become a `FlagpostError`;
 * anything else (a trap, an exhausted stack) left it half-way.
 */
export function failure(error: unknown): { reported: boolean; error: FlagpostError } {
  const code = (error as { flagpost?: FlagpostErrorCode } | null)?.flagpost;
  if (code !== undefined) return { reported: true, error: new FlagpostError(code, (error as Error).message) };
  const message = `the evaluator broke off (${String(error)}) and has been started anew: the next call works; please report this`;
  return { reported: false, error: new FlagpostError("trap", message, { cause: error }) };
}

/** What to throw for an error that came out of the running instance, which is dropped unless it reported it. */
export function broken(error: unknown): FlagpostError {
  const failed = failure(error);
  if (!failed.reported) current = undefined;
  return failed.error;
}
