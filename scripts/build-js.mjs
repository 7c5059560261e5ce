/**
 * Builds js/dist from js/src and evaluator-wasm/pkg: one script per entry, and the typings.
 *
 *   index.js, index.cjs   the module inside, as base64: Node, Deno, Bun, Convex, bundlers
 *   workerd.js            imports evaluator.wasm: Cloudflare Workers
 *   edge-light.js         imports evaluator.wasm?module: Vercel's edge runtime
 *   convex.js, convex.cjs the store's tables and functions for a Convex project, without the evaluator
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const js = join(root, "js");
const dist = join(js, "dist");
const wasm = join(root, "evaluator-wasm", "pkg", "evaluator_bg.wasm");
const glue = join(root, "evaluator-wasm", "pkg", "evaluator_bg.js");

/**
 * The glue keeps the running instance in variables of its module. Wrapped in a function, every start
 * has its own, so that nothing of an instance that trapped is left. Dropped rulesets are freed by
 * js/src/compiled.ts, which knows whether their instance still runs, not by the glue's registry.
 */
function wrapGlue(source) {
  const names = [...source.matchAll(/^export (?:function|class|const) (\w+)/gm)].map(([, name]) => name);
  const missing = ["Evaluator", "__wbg_set_wasm", "__wbindgen_init_externref_table"].filter((name) => !names.includes(name));
  const others = source.match(/^(?:import|export (?!function |class |const )).*$/m);
  if (missing.length > 0 || others) {
    throw new Error(`wasm-bindgen's glue looks different: ${missing.join(", ") || others[0]}: adapt scripts/build-js.mjs`);
  }
  const imports = names.filter((name) => /^__wb(g|indgen)_/.test(name) && name !== "__wbg_set_wasm");
  return `export function createGlue() {
const FinalizationRegistry = undefined;
${source.replace(/^export /gm, "")}
return {
  Evaluator,
  imports: { "./evaluator_bg.js": { ${imports.join(", ")} } },
  start(exports) { __wbg_set_wasm(exports); exports.__wbindgen_start(); },
};
}`;
}

const evaluator = {
  name: "evaluator",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^evaluator-(glue|base64)$/ }, ({ path }) => ({ path, namespace: "evaluator" }));
    onLoad({ filter: /glue/, namespace: "evaluator" }, () => ({ contents: wrapGlue(readFileSync(glue, "utf8")) }));
    onLoad({ filter: /base64/, namespace: "evaluator" }, () => ({
      contents: `export default ${JSON.stringify(readFileSync(wasm, "base64"))};`,
    }));
  },
};

/** Removes typings that nothing public leads to; they name modules that are not published. */
function keepReachable(folder, names) {
  const reachable = new Set();
  const visit = (file) => {
    if (reachable.has(file)) return;
    reachable.add(file);
    for (const [, path] of readFileSync(file, "utf8").matchAll(/from "(\..+)"/g)) {
      visit(join(dirname(file), path.replace(/\.js$/, ".d.ts")));
    }
  };
  for (const name of names) visit(join(folder, name));
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name);
    if (name.endsWith(".d.ts") && !reachable.has(file)) rmSync(file);
  }
}

const entries = [
  { source: "inline.ts", script: "index.js", format: "esm" },
  { source: "inline.ts", script: "index.cjs", format: "cjs" },
  { source: "workerd.ts", script: "workerd.js", format: "esm" },
  { source: "edge-light.ts", script: "edge-light.js", format: "esm" },
  { source: "convex.ts", script: "convex.js", format: "esm" },
  { source: "convex.ts", script: "convex.cjs", format: "cjs" },
];

for (const file of [wasm, glue]) {
  if (!existsSync(file)) throw new Error(`${file} is missing: run scripts/build-wasm.sh`);
}
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(wasm, join(dist, "evaluator.wasm"));
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(join(root, licence), join(dist, licence));
for (const { source, script, format } of entries) {
  await build({
    entryPoints: [join(js, "src", "entry", source)],
    outfile: join(dist, script),
    bundle: true,
    format,
    target: "es2022",
    platform: "neutral",
    external: ["*.wasm", "*.wasm?module", "convex/*"],
    plugins: [evaluator],
    legalComments: "none",
    logLevel: "warning",
  });
}

const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "..", "bin", "tsc");
const types = join(dist, "types");
execFileSync(process.execPath, [tsc, "-p", join(js, "tsconfig.build.json"), "--outDir", types], { stdio: "inherit" });
keepReachable(types, ["index.d.ts", "entry/convex.d.ts"]);
// The same typings for `require`, in a folder that says so.
cpSync(types, join(dist, "types-cjs"), { recursive: true });
writeFileSync(join(dist, "types-cjs", "package.json"), '{ "type": "commonjs" }\n');

for (const { script } of entries) {
  const bytes = readFileSync(join(dist, script));
  if (/\b(?:from|require\(|import\()\s*["']node:/.test(bytes.toString())) throw new Error(`${script} imports a node: module`);
  const size = (content) => `${content.length} bytes, gzip ${gzipSync(content, { level: 9 }).length}`;
  const module = bytes.includes("evaluator.wasm") ? ` + evaluator.wasm ${size(readFileSync(wasm))}` : "";
  console.log(`js/dist/${script}: ${size(bytes)}${module}`);
}
