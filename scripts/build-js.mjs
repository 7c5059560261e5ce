/**
 * Builds js/dist from js/src, evaluator-wasm/pkg and evaluator-wasm/pkg-compiler: one script per
 * entry, and the typings.
 *
 *   index.js, index.cjs   the modules inside, as base64: Node, Deno, Bun, Convex, bundlers
 *   workerd.js            imports evaluator.wasm and compiler.wasm: Cloudflare Workers
 *   edge-light.js         imports them with ?module: Vercel's edge runtime
 *   slim.js, slim.cjs, workerd-slim.js, edge-light-slim.js
 *                         the same without the compiler
 *   testing.js, testing.cjs
 *                         flags for tests, without either
 *   convex.js, convex.cjs flags, the store's tables and functions for a Convex project; imports slim.js
 *   refresh.js, refresh.cjs, workerd-refresh.js, edge-light-refresh.js
 *                         refreshing: the compiler without the evaluator
 *   cli.js                the program `flagpost`, which imports index.js and slim.js
 *   node.js, node.cjs     what needs Node's modules
 *   posthog-node.js, posthog-node.cjs
 *                         providers of definitions for posthog-node
 *   openfeature.js, openfeature-web.js, and .cjs
 *                         OpenFeature providers over a client, without either
 *
 * Fails when flagpost/slim outgrows its budget in tests/budgets.json.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const js = join(root, "js");
const dist = join(js, "dist");
const { version } = JSON.parse(readFileSync(join(js, "package.json"), "utf8"));
const modules = { evaluator: { folder: "pkg" }, compiler: { folder: "pkg-compiler" } };
const builtOf = (name, extension) => join(root, "evaluator-wasm", modules[name].folder, `${name}_bg.${extension}`);

/** What the compiler module is asked for: js/src/glue.d.ts says what each does. */
const COMPILER = ["compile", "generator", "inspect", "publish", "no_flags", "renew", "order"];

/**
 * The compiler's glue keeps the running instance in variables of its module. Wrapped in a function, every
 * start has its own, so that nothing of an instance that trapped is left.
 */
function compilerGlue() {
  const source = readFileSync(builtOf("compiler", "js"), "utf8");
  const names = [...source.matchAll(/^export (?:function|class|const) (\w+)/gm)].map(([, found]) => found);
  const missing = [...COMPILER, "__wbg_set_wasm"].filter((wanted) => !names.includes(wanted));
  const others = source.match(/^(?:import|export (?!function |class |const )).*$/m);
  if (missing.length > 0 || others) {
    throw new Error(`wasm-bindgen's glue looks different: ${missing.join(", ") || others[0]}: adapt scripts/build-js.mjs`);
  }
  const imports = names.filter((found) => /^__wb(g|indgen)_/.test(found) && found !== "__wbg_set_wasm");
  return `export function createGlue() {
${source.replace(/^export /gm, "")}
return {
  ${COMPILER.join(", ")},
  imports: { "./compiler_bg.js": { ${imports.join(", ")} } },
  start(exports) { __wbg_set_wasm(exports); exports.__wbindgen_start?.(); },
};
}`;
}

/** The evaluator's glue is js/src/evaluator.ts. wasm-bindgen adds a hash to the names of what it imports. */
function evaluatorImports() {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(builtOf("evaluator", "wasm"))));
  const host = readFileSync(join(js, "src", "evaluator.ts"), "utf8");
  const members = imports.map(({ module, name }) => {
    const plain = name.replace(/^__wbg_(?=.+_[0-9a-f]{16}$)|_[0-9a-f]{16}$/g, "");
    if (module !== "./evaluator_bg.js" || !new RegExp(`^ {4}${plain}[:(]`, "m").test(host)) {
      throw new Error(`the evaluator imports ${plain} of ${module}: add it to js/src/evaluator.ts`);
    }
    return `${name}: functions.${plain}`;
  });
  return `export const importsOf = (functions) => ({ "./evaluator_bg.js": { ${members.join(", ")} } });`;
}

const base64 = (name) => `export default ${JSON.stringify(readFileSync(builtOf(name, "wasm"), "base64"))};`;
const generated = {
  "evaluator-imports": evaluatorImports,
  "evaluator-base64": () => base64("evaluator"),
  "compiler-glue": compilerGlue,
  "compiler-base64": () => base64("compiler"),
};
const wasmModules = {
  name: "wasm-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:evaluator|compiler)-/ }, ({ path }) => ({ path, namespace: "wasm-modules" }));
    onLoad({ filter: /.*/, namespace: "wasm-modules" }, ({ path }) => ({ contents: generated[path]() }));
  },
};

/** Other scripts of the package stay what they are, beside the one that imports them. */
const besides = (script) => ({
  name: "besides",
  setup({ onResolve }) {
    const extension = script.slice(script.lastIndexOf("."));
    onResolve({ filter: /\/entry\/inline(?:-slim)?\.js$/ }, ({ path }) => ({
      path: `./${path.endsWith("-slim.js") ? "slim" : "index"}${extension}`,
      external: true,
      sideEffects: false,
    }));
  },
});

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

/** Entry points of their own, without a module. Only `node` may import what Node has. */
const libraries = ["convex", "node", "openfeature", "openfeature-web", "posthog-node", "testing"];
const entries = [
  { source: "inline.ts", script: "index.js", format: "esm" },
  { source: "inline.ts", script: "index.cjs", format: "cjs" },
  { source: "workerd.ts", script: "workerd.js", format: "esm" },
  { source: "edge-light.ts", script: "edge-light.js", format: "esm" },
  { source: "inline-slim.ts", script: "slim.js", format: "esm" },
  { source: "inline-slim.ts", script: "slim.cjs", format: "cjs" },
  { source: "workerd-slim.ts", script: "workerd-slim.js", format: "esm" },
  { source: "edge-light-slim.ts", script: "edge-light-slim.js", format: "esm" },
  { source: "inline-refresh.ts", script: "refresh.js", format: "esm" },
  { source: "inline-refresh.ts", script: "refresh.cjs", format: "cjs" },
  { source: "workerd-refresh.ts", script: "workerd-refresh.js", format: "esm" },
  { source: "edge-light-refresh.ts", script: "edge-light-refresh.js", format: "esm" },
  { source: "cli.ts", script: "cli.js", format: "esm", node: true },
  ...libraries.flatMap((name) => [
    { source: `${name}.ts`, script: `${name}.js`, format: "esm", node: name === "node" },
    { source: `${name}.ts`, script: `${name}.cjs`, format: "cjs", node: name === "node" },
  ]),
];

for (const file of Object.keys(modules).flatMap((name) => [builtOf(name, "wasm"), builtOf(name, "js")])) {
  if (!existsSync(file)) throw new Error(`${file} is missing: run scripts/build-wasm.sh`);
}
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
for (const name of Object.keys(modules)) copyFileSync(builtOf(name, "wasm"), join(dist, `${name}.wasm`));
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(join(root, licence), join(dist, licence));
for (const { source, script, format } of entries) {
  await build({
    entryPoints: [join(js, "src", "entry", source)],
    outfile: join(dist, script),
    bundle: true,
    format,
    target: "es2022",
    platform: "neutral",
    define: { FLAGPOST_VERSION: JSON.stringify(version) },
    external: ["*.wasm", "*.wasm?module", "convex/*", "@openfeature/core", "node:*"],
    plugins: [wasmModules, besides(script)],
    legalComments: "none",
    logLevel: "warning",
  });
}

const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "..", "bin", "tsc");
const types = join(dist, "types");
execFileSync(process.execPath, [tsc, "-p", join(js, "tsconfig.build.json"), "--outDir", types], { stdio: "inherit" });
const typings = JSON.parse(readFileSync(join(js, "tsconfig.build.json"), "utf8")).files.filter((file) => !file.endsWith(".d.ts"));
keepReachable(types, typings.map((file) => file.replace(/^src\/(.*)\.ts$/, "$1.d.ts")));
// The same typings for `require`, in a folder that says so.
cpSync(types, join(dist, "types-cjs"), { recursive: true });
writeFileSync(join(dist, "types-cjs", "package.json"), '{ "type": "commonjs" }\n');

chmodSync(join(dist, "cli.js"), 0o755);
for (const { script, node } of entries) {
  const bytes = readFileSync(join(dist, script));
  if (!node && /\b(?:from|require\(|import\()\s*["']node:/.test(bytes.toString())) throw new Error(`${script} imports a node: module`);
  const brought = Object.keys(modules).filter((name) => bytes.includes(`./${name}.wasm`));
  const sizes = [bytes, ...brought.map((name) => readFileSync(builtOf(name, "wasm")))].map((content) => `${content.length} bytes, gzip ${gzipped(content)}`);
  console.log(`js/dist/${script}: ${sizes.join(" + ")}`);
}

const { slim } = JSON.parse(readFileSync(join(root, "tests", "budgets.json"), "utf8"));
const minified = await transform(readFileSync(join(dist, "workerd-slim.js"), "utf8"), { minify: true, format: "esm" });
const sent = gzipped(readFileSync(builtOf("evaluator", "wasm"))) + gzipped(Buffer.from(minified.code));
console.log(`flagpost/slim: gzip ${sent} of ${slim.gzipBytes} bytes: ${slim.what}`);
if (sent > slim.gzipBytes) throw new Error("flagpost/slim is over its budget: make it smaller, or raise tests/budgets.json with a reason");

function gzipped(content) {
  return gzipSync(content, { level: 9 }).length;
}
