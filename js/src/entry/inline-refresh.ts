// Node, Deno, Bun, Convex and bundlers: the module travels inside the script.
import compiler from "compiler-base64";

import { inlineModule } from "../inline.js";
import { provideRules } from "../refresh/rules.js";

provideRules(inlineModule(compiler));

export * from "../refresh/index.js";
