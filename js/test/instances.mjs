/** What the package does with WebAssembly, observed from outside. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** A fresh copy of the package, in which nothing has been started. */
export function freshPackage(name = "flagpost") {
  const path = require.resolve(name);
  delete require.cache[path];
  return require(name);
}

/**
 * Runs work and gives the modules and instances made meanwhile: for each instance its memory, and the
 * length in bytes of every request that was put into it.
 */
export function watched(work) {
  const { Module, Instance } = WebAssembly;
  const seen = { modules: 0, instances: [] };
  WebAssembly.Module = class extends Module {
    constructor(...parts) {
      super(...parts);
      seen.modules++;
    }
  };
  WebAssembly.Instance = class extends Instance {
    constructor(...parts) {
      super(...parts);
      const { exports } = this;
      const instance = { compiles: "compile" in exports, memory: exports.memory, requests: [] };
      seen.instances.push(instance);
      const counted = (name) => (...parts) => {
        instance.requests.push(parts.at(-1));
        return exports[name](...parts);
      };
      const evaluating = { evaluator_flag: counted("evaluator_flag"), evaluator_flags: counted("evaluator_flags") };
      Object.defineProperty(this, "exports", { value: { ...exports, ...evaluating } });
    }
  };
  try {
    seen.result = work();
    return seen;
  } finally {
    Object.assign(WebAssembly, { Module, Instance });
  }
}
