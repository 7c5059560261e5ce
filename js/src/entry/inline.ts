// Node, Deno, Bun, Convex and bundlers: the modules travel inside the script.
import compiler from "compiler-base64";
import evaluator from "evaluator-base64";

import { provideCompiler } from "../compiled.js";
import { compilerOf } from "../compiler.js";
import { inlineModule } from "../inline.js";
import { provideModule } from "../instance.js";

provideModule(inlineModule(evaluator));
provideCompiler(compilerOf(inlineModule(compiler)));

export * from "../index.js";
