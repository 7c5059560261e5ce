// Node, Deno, Bun, Convex and bundlers: the module travels inside the script.
import evaluator from "evaluator-base64";

import { inlineModule } from "../inline.js";
import { provideModule } from "../instance.js";

provideModule(inlineModule(evaluator));

export * from "../index.js";
