import { createGlue, type Glue } from "compiler-glue";

import { failure, start } from "./instance.js";

/** An instance whose memory grew beyond this, in bytes, is not kept. */
const KEEP_BYTES = 8 << 20;

interface Running {
  readonly glue: Glue;
  readonly memory: WebAssembly.Memory;
}

/** Calls a function of the compiler module. What it throws becomes a `FlagpostError`. */
export type Call = <T>(use: (glue: Glue) => T) => T;

/** The calls of a compiler module, which is started by its first use. */
export function callsOf(moduleOf: () => WebAssembly.Module): Call {
  let idle: Running | undefined;
  return (use) => {
    const running = idle ?? run(moduleOf);
    idle = undefined;
    try {
      const result = use(running.glue);
      idle = kept(running);
      return result;
    } catch (thrown) {
      const { reported, error } = failure(thrown);
      if (reported) idle = kept(running);
      throw error;
    }
  };
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
