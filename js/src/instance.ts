import { createGlue, type Evaluator, type Glue } from "evaluator-glue";

import { FlagpostError, type FlagpostErrorCode } from "./errors.js";

/** One running copy of the evaluator module. */
export interface Instance {
  readonly glue: Glue;
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
    glue.start(start(glue.imports));
    current = { glue };
  }
  return current;
}

function start(imports: WebAssembly.Imports): WebAssembly.Exports {
  try {
    return new WebAssembly.Instance(moduleOf(), imports).exports;
  } catch (error) {
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
 * Calls into the module. Errors that it reports become `FlagpostError`; anything else that comes out
 * of it (a trap, an exhausted stack) left it half-way, so the instance is dropped.
 */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = (error as { flagpost?: FlagpostErrorCode } | null)?.flagpost;
    if (code !== undefined) throw new FlagpostError(code, (error as Error).message);
    current = undefined;
    throw new FlagpostError(
      "trap",
      `the evaluator broke off (${String(error)}) and has been started anew: the next call works; please report this`,
      { cause: error },
    );
  }
}
