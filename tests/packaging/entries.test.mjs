/** Every script that the packed package exports: what it imports, and that importing it does nothing. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { installPackage, succeed } from "./project.mjs";

/** The one part that may use what only Node (and Deno and Bun) have. */
const NODE_ENTRY = "./node";

const manifest = JSON.parse(readFileSync(new URL("../../js/package.json", import.meta.url), "utf8"));
const peers = Object.keys(manifest.peerDependencies ?? {});

const leaves = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(leaves));
const files = Object.entries(manifest.exports).flatMap(([subpath, entry]) => [...new Set(leaves(entry))].map((file) => ({ subpath, file })));
const scripts = files.filter(({ file }) => /(?<!\.d)\.[cm]?[jt]s$/.test(file));

let project;
before(async () => {
  project = await installPackage();
  for (const name of peers) project.link(name);
  project.write("quiet.mjs", QUIET);
  project.write("snapshot", compiledSnapshot({}, { flags: [] }));
});
after(() => project?.remove());

/** A script with all that it brings along, and the names of what it expects beside it. */
async function bundled(file) {
  const outside = new Set();
  const plugin = {
    name: "outside",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[^./]/ }, ({ path }) => {
        outside.add(path);
        return { path, external: true };
      });
      onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path.split("?")[0]), namespace: "module" }));
      onLoad({ filter: /.*/, namespace: "module" }, ({ path }) => ({ contents: `export default { path: ${JSON.stringify(path)} };` }));
    },
  };
  const entry = join(project.path, "node_modules/flagpost", file);
  const cjs = file.endsWith(".cjs");
  const outfile = join(project.path, "bundled", `${file.replaceAll(/\W+/g, "-")}.${cjs ? "cjs" : "mjs"}`);
  await build({ entryPoints: [entry], outfile, bundle: true, format: cjs ? "cjs" : "esm", platform: "neutral", plugins: [plugin], logLevel: "silent" });
  return { outfile, outside: [...outside] };
}

/** Imports what the script expects, then takes away everything that would be work, then imports the script. */
const QUIET = `
import { readFileSync } from "node:fs";
const snapshot = new Uint8Array(readFileSync("snapshot"));
const [script, ...outside] = process.argv.slice(2);
for (const name of outside) await import(name);
const done = [];
const refuse = (name) => function () {
  done.push(name);
  throw new Error(name + " while importing");
};
const members = {
  WebAssembly: ["Module", "Instance", "Memory", "compile", "instantiate", "validate", "compileStreaming", "instantiateStreaming"],
  console: ["log", "info", "warn", "error", "debug"],
  Buffer: ["from", "alloc", "allocUnsafe"],
  crypto: ["getRandomValues", "randomUUID"],
  Math: ["random"],
  Date: ["now"],
};
const print = console.log;
for (const [owner, names] of Object.entries(members)) for (const name of names) globalThis[owner][name] = refuse(owner + "." + name);
for (const name of ["fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "atob", "TextEncoder", "TextDecoder", "Worker", "BroadcastChannel", "FinalizationRegistry"]) globalThis[name] = refuse(name);
let imported;
try {
  imported = await import(script);
} catch (error) {
  done.push(String(error));
}
const atImport = done.splice(0);
try {
  (imported?.load ?? imported?.default?.load)?.(snapshot);
} catch {}
print(JSON.stringify({ atImport, atUse: done }));
`;

test("every file that exports, main, module, types, typesVersions and bin name is in the package", () => {
  const named = [
    ...files.map(({ file }) => file),
    manifest.main, manifest.module, manifest.types,
    ...leaves(manifest.bin ?? {}),
    ...Object.values(manifest.typesVersions["*"]).flat(),
  ];
  for (const file of named) assert.ok(existsSync(join(project.path, "node_modules/flagpost", file)), file);
  const typed = Object.keys(manifest.typesVersions["*"]).map((name) => `./${name}`);
  assert.deepEqual([".", ...typed, "./package.json"].sort(), Object.keys(manifest.exports).sort());
});

test("no script but Node's own imports a module of Node, and what others import is an optional peer", async () => {
  for (const { subpath, file } of scripts) {
    const { outside } = await bundled(file);
    for (const name of outside) {
      if (isBuiltin(name)) assert.equal(subpath, NODE_ENTRY, `${file} imports ${name}`);
      else assert.ok(peers.some((peer) => name === peer || name.startsWith(`${peer}/`)), `${file} imports ${name}`);
    }
  }
  for (const peer of peers) assert.equal(manifest.peerDependenciesMeta[peer]?.optional, true, peer);
});

for (const { subpath, file } of scripts) {
  test(`importing ${subpath} (${file}) starts, decodes, asks, prints and schedules nothing`, async () => {
    const { outfile, outside } = await bundled(file);
    const { atImport, atUse } = JSON.parse(await succeed("node", process.execPath, ["quiet.mjs", outfile, ...outside], { cwd: project.path }));
    assert.deepEqual(atImport, []);
    // What would notice work does notice it.
    if ([".", "./slim"].includes(subpath)) assert.notDeepEqual(atUse, []);
  });
}
