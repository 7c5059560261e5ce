// Vercel's edge runtime: as in Workers, with the suffix that its bundler wants.
import module from "./evaluator.wasm?module";

import { provideModule } from "../instance.js";

provideModule(() => module);

export * from "../index.js";
