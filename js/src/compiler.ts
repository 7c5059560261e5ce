import { callsOf } from "./calls.js";
import { encodeDefinitions } from "./json.js";
import { borrowWriter, giveBack } from "./pack.js";

/** What can be loaded besides current snapshots. All of it throws `FlagpostError`. */
export interface Compiler {
  /** Definitions as text or object, as bytes. */
  encode(definitions: string | object): Uint8Array;
  /** A compiled ruleset, and its digest, of definitions as JSON or of a whole snapshot. */
  compile(bytes: Uint8Array, evaluationContexts: string[] | undefined): Uint8Array;
}

/** The compiler of a module, which is started by its first use. */
export function compilerOf(moduleOf: () => WebAssembly.Module): Compiler {
  const call = callsOf(moduleOf);
  function compile(bytes: Uint8Array, evaluationContexts: string[] | undefined): Uint8Array {
    const writer = borrowWriter();
    for (const context of evaluationContexts ?? []) writer.string(context);
    try {
      return call((glue) => glue.compile(bytes, writer.written()));
    } finally {
      giveBack(writer);
    }
  }
  return { compile, encode: encodeDefinitions };
}
