/** Scripts as users' bundlers make them. */
import { basename } from "node:path";
import { build } from "esbuild";

const SHARED = { bundle: true, write: false, outdir: "out", logLevel: "error", legalComments: "none" };

/**
 * A Worker's files, as wrangler bundles them: the script, and each WASM module beside it.
 *
 * @param {string} contents the entry's source
 * @returns {Promise<{name: string, contents: Uint8Array}[]>} the script comes first
 */
export async function bundleWorker(contents, { minify = false } = {}) {
  const { outputFiles } = await build({
    ...SHARED,
    stdin: { contents, resolveDir: import.meta.dirname, loader: "js", sourcefile: "worker.js" },
    entryNames: "worker",
    minify,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    loader: { ".wasm": "copy" },
    external: ["node:*", "cloudflare:*"],
  });
  const files = outputFiles.map(({ path, contents: bytes }) => ({ name: basename(path), contents: bytes }));
  return files.sort((left, right) => Number(right.name.endsWith(".js")) - Number(left.name.endsWith(".js")));
}

/** A script for a fresh context, with the entries that Convex's bundler chooses. */
export async function bundleScript(contents) {
  const { outputFiles } = await build({
    ...SHARED,
    stdin: { contents, resolveDir: import.meta.dirname, loader: "js" },
    minify: true,
    format: "iife",
    platform: "browser",
    mainFields: ["module", "main"],
    conditions: ["convex", "import"],
  });
  return outputFiles[0].text;
}
