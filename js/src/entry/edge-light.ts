// Vercel's edge runtime: as in Workers, with the suffix that its bundler wants.
import compiler from "./compiler.wasm?module";
import evaluator from "./evaluator.wasm?module";

import { provideCompiler } from "../compiled.js";
import { compilerOf } from "../compiler.js";
import { provideModule } from "../instance.js";

provideModule(() => evaluator);
provideCompiler(compilerOf(() => compiler));

export * from "../index.js";
