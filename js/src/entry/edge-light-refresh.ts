// Vercel's edge runtime: as in Workers, with the suffix that its bundler wants.
import compiler from "./compiler.wasm?module";

import { provideRules } from "../refresh/rules.js";

provideRules(() => compiler);

export * from "../refresh/index.js";
