import { createGlue, type Evaluator, type Glue } from "evaluator-glue";

import { FlagpostError, type FlagpostErrorCode } from "./errors.js";

/** One running copy of the evaluator module. */
export class Instance {
  readonly glue: Glue;
  readonly #memory: WebAssembly.Memory;
  #bytes: Uint8Array;
  #words: Uint32Array;
  #codes: Int32Array;

  constructor(glue: Glue, memory: WebAssembly.Memory) {
    this.glue = glue;
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#codes = new Int32Array(memory.buffer);
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

  /** Memory that grew is another buffer; views of the one before are empty. */
  #refresh(): void {
    const { buffer } = this.#memory;
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
  if (current === undefined) {
    const glue = createGlue();
    current = new Instance(glue, start(moduleOf, glue));
  }
  return current;
}

/** Starts a module under its glue; its memory. */
export function start(
  provider: () => WebAssembly.Module,
  glue: { imports: WebAssembly.Imports; start(exports: WebAssembly.Exports): void },
): WebAssembly.Memory {
  let exports: WebAssembly.Exports;
  try {
    ({ exports } = new WebAssembly.Instance(provider(), glue.imports));
  } catch (error) {
    throw new FlagpostError(
      "no_webassembly",
      `this runtime refused to start the evaluator (${String(error)}): let its bundler resolve "flagpost" ` +
        'with the export condition "workerd" or "edge-light"',
      { cause: error },
    );
  }
  glue.start(exports);
  return exports.memory as WebAssembly.Memory;
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
