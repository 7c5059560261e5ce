/** A Convex project's functions as Convex's CLI bundles them: with the code and the settings of its bundler. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { ROOT } from "./worker.mjs";

const bundler = join(dirname(createRequire(import.meta.url).resolve("convex/package.json")), "dist", "esm", "bundler");

/** What the CLI prints with is part of its one large script only, and nothing here is printed. */
const withoutPrinting = {
  name: "without-printing",
  setup({ onLoad }) {
    const names = ["logError", "changeSpinner", "logFailure", "logVerbose", "logMessage"];
    const contents = names.map((name) => `export const ${name} = () => {};`).join("\n");
    onLoad({ filter: /bundler\/log\.js$/ }, () => ({ contents }));
  },
};

/** A folder for files that import packages of this repository; git does not see it. */
export function folderInside() {
  mkdirSync(join(ROOT, "target"), { recursive: true });
  return mkdtempSync(join(ROOT, "target", "convex-"));
}

/** Convex's own functions: its call of esbuild, and its plugins. */
async function loadBundler() {
  const folder = folderInside();
  try {
    const outfile = join(folder, "bundler.mjs");
    const contents = ["debugBundle", "serverOnly", "wasm"].map((name) => `export * from "./${name}.js";`).join("\n");
    const packages = { packages: "external", plugins: [withoutPrinting] };
    await build({ stdin: { contents, resolveDir: bundler }, bundle: true, platform: "node", format: "esm", outfile, logLevel: "error", ...packages });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Bundles the files of a `convex` folder: `isolate`, `node` (those that say "use node") and `schema`, each
 * the scripts that would be sent to Convex, by their paths.
 */
export async function bundleConvex(dir) {
  const { innerEsbuild, serverOnlyPlugin, wasmPlugin } = await loadBundler();
  const scripts = async (names, platform, chunksFolder) => {
    const { outputFiles } = await innerEsbuild({
      entryPoints: names.map((name) => join(dir, name)),
      dir,
      platform,
      chunksFolder,
      extraConditions: [],
      generateSourceMaps: true,
      plugins: [serverOnlyPlugin, wasmPlugin],
    });
    const written = outputFiles.filter(({ path }) => path.endsWith(".js"));
    return Object.fromEntries(written.map(({ path, text }) => [relative("out", path), text]));
  };
  const files = readdirSync(dir).filter((name) => name.endsWith(".ts") && name !== "schema.ts");
  const needsNode = (name) => readFileSync(join(dir, name), "utf8").includes('"use node"');
  return {
    isolate: await scripts(files.filter((name) => !needsNode(name)), "browser", "_deps"),
    node: await scripts(files.filter(needsNode), "node", join("_deps", "node")),
    schema: await scripts(["schema.ts"], "browser", "_deps"),
  };
}

/** Writes bundled scripts into a folder and imports them: the schema, and the modules with functions by name. */
export async function importConvex({ isolate, node, schema }, folder) {
  const modules = {};
  const write = (sub, scripts) => {
    for (const [path, text] of Object.entries(scripts)) {
      const file = join(folder, sub, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  };
  const load = (sub, path) => import(pathToFileURL(join(folder, sub, path)).href);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  for (const [sub, scripts] of Object.entries({ isolate, node })) {
    write(sub, scripts);
    for (const path of Object.keys(scripts).filter((name) => !name.startsWith("_deps"))) {
      modules[path.replace(/\.js$/, "")] = await load(sub, path);
    }
  }
  write("schema", schema);
  return { schema: (await load("schema", "schema.js")).default, modules };
}
