import { createGlue, type Glue } from "compiler-glue";

import { failure, start } from "./instance.js";
import { encodeDefinitions } from "./json.js";

/** What can be loaded besides current snapshots. All of it throws `FlagpostError`. */
export interface Compiler {
  /** Definitions as text or object, as bytes. */
  encode(definitions: string | object): Uint8Array;
  /** A compiled ruleset, and its digest, of definitions as JSON or of a whole snapshot. */
  compile(bytes: Uint8Array, evaluationContexts: string[] | undefined): Uint8Array;
}

/** An instance whose memory grew beyond this, in bytes, is not kept. */
const KEEP_BYTES = 8 << 20;

interface Running {
  readonly glue: Glue;
  readonly memory: WebAssembly.Memory;
}

/** The compiler of a module, which is started by its first use. */
export function compilerOf(moduleOf: () => WebAssembly.Module): Compiler {
  let idle: Running | undefined;
  function compile(bytes: Uint8Array, evaluationContexts: string[] | undefined): Uint8Array {
    const running = idle ?? run(moduleOf);
    idle = undefined;
    try {
      const compiled = running.glue.compile(bytes, { evaluationContexts });
      idle = kept(running);
      return compiled;
    } catch (thrown) {
      const { reported, error } = failure(thrown);
      if (reported) idle = kept(running);
      throw error;
    }
  }
  return { compile, encode: encodeDefinitions };
}

function run(moduleOf: () => WebAssembly.Module): Running {
  const glue = createGlue();
  const exports = start(moduleOf, glue.imports);
  glue.start(exports);
  return { glue, memory: exports.memory as WebAssembly.Memory };
}

function kept(running: Running): Running | undefined {
  return running.memory.buffer.byteLength > KEEP_BYTES ? undefined : running;
}
