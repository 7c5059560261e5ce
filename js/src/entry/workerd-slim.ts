// Cloudflare Workers: bytes cannot be compiled in a request, so the bundler hands over the module.
import module from "./evaluator.wasm";

import { provideModule } from "../instance.js";

provideModule(() => module);

export * from "../index.js";
