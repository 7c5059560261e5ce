/** How large a Worker's script is with each package alone in it. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { bundleWorker } from "./bundle.mjs";

const EVALUATING = "{ createReader, evaluate, evaluateFlag, load }";
const { exports } = JSON.parse(readFileSync(new URL("../js/package.json", import.meta.url), "utf8"));

const ENTRIES = {
  flagpost: `export ${EVALUATING} from "flagpost";`,
  ...("./slim" in exports && { "flagpost/slim": `export ${EVALUATING} from "flagpost/slim";` }),
  "posthog-node": 'export { PostHog } from "posthog-node";',
  "@posthog/convex": 'export { PostHog } from "@posthog/convex";',
};

/** @returns {Promise<{name: string, bytes: number, gzip: number, wasmGzip: number}[]>} minified; gzip file by file */
export async function scriptSizes() {
  const rows = [];
  for (const [name, contents] of Object.entries(ENTRIES)) {
    const files = (await bundleWorker(contents, { minify: true })).map((file) => ({ ...file, gzip: gzipSync(file.contents, { level: 9 }).length }));
    const sum = (size) => files.reduce((total, file) => total + size(file), 0);
    rows.push({ name, bytes: sum((file) => file.contents.length), gzip: sum((file) => file.gzip), wasmGzip: sum((file) => (file.name.endsWith(".wasm") ? file.gzip : 0)) });
  }
  return rows;
}
