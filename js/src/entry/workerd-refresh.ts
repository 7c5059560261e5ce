// Cloudflare Workers: bytes cannot be compiled in a request, so the bundler hands over the module.
import compiler from "./compiler.wasm";

import { provideRules } from "../refresh/rules.js";

provideRules(() => compiler);

export * from "../refresh/index.js";
