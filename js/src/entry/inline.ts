// Node, Deno, Bun, Convex and bundlers: the module travels inside the script.
import base64 from "evaluator-base64";

import { decodeBase64 } from "../base64.js";
import { provideModule } from "../instance.js";

let module: WebAssembly.Module | undefined;

provideModule(() => (module ??= new WebAssembly.Module(decodeBase64(base64))));

export * from "../index.js";
