// Cloudflare Workers: bytes cannot be compiled in a request, so the bundler hands over the module.
import compiler from "./compiler.wasm";
import evaluator from "./evaluator.wasm";

import { provideCompiler } from "../compiled.js";
import { compilerOf } from "../compiler.js";
import { provideModule } from "../instance.js";

provideModule(() => evaluator);
provideCompiler(compilerOf(() => compiler));

export * from "../index.js";
