import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as esm from "flagpost";

const require = createRequire(import.meta.url);
const manifest = require("flagpost/package.json");
const folder = new URL("../", import.meta.url);

function targets(entry) {
  return typeof entry === "string" ? [entry] : Object.values(entry).flatMap(targets);
}

test("everything that exports, main, module and types name exists", () => {
  const named = [...targets(manifest.exports), manifest.main, manifest.module, manifest.types];
  for (const target of named) assert.ok(existsSync(new URL(target, folder)), target);
});

test("the conditions stand in the order in which runtimes must find them", () => {
  for (const entry of [".", "./slim"]) {
    assert.deepEqual(Object.keys(manifest.exports[entry]), ["types", "convex", "workerd", "edge-light", "import", "require", "default"]);
  }
});

test("ESM and CJS give the same names, and definitions of one work in the other", () => {
  const cjs = require("flagpost");
  assert.notEqual(cjs.load, esm.load);
  assert.deepEqual(Object.keys(cjs).sort(), Object.keys(esm).sort());
  const definitions = { flags: [{ key: "on", active: true, filters: { groups: [{ rollout_percentage: 100 }] } }] };
  assert.deepEqual(cjs.evaluateFlag(esm.load(definitions), "on", { distinctId: "u" }), { value: true });
});

test("the public names are these, and those of the slim package as well", async () => {
  const names = [
    "DEFAULT_KEY",
    "FlagpostError",
    "createExposures",
    "createFlags",
    "createReader",
    "denoKvSource",
    "embeddedSource",
    "evaluate",
    "evaluateFlag",
    "flagCalledEvent",
    "kvSource",
    "load",
    "memorySource",
    "r2Source",
    "remoteFallback",
    "urlSource",
    "writeDenoKv",
  ];
  for (const module of [esm, await import("flagpost/slim"), require("flagpost/slim")]) assert.deepEqual(Object.keys(module).sort(), names);
});

test("a bundler leaves out the client, events and the remote fallback where nobody imports them", async () => {
  const bundled = async (names) => {
    const stdin = { contents: `export { ${names} } from "flagpost/slim";`, resolveDir: fileURLToPath(folder) };
    const { outputFiles } = await build({ stdin, bundle: true, format: "esm", minify: true, write: false, platform: "neutral", logLevel: "warning" });
    return outputFiles[0].text;
  };
  const parts = { client: "evaluation_failed", exposures: "$feature_flag_called", remote: "evaluation_runtime" };
  const has = async (names) => {
    const text = await bundled(names);
    return Object.keys(parts).filter((part) => text.includes(parts[part]));
  };
  assert.deepEqual(await has("createReader, evaluate"), []);
  assert.deepEqual(await has("createFlags"), ["client"]);
  assert.deepEqual(await has("createFlags, createExposures, remoteFallback"), Object.keys(parts));
});

test("Convex's part is an entry of its own, which nobody else loads", async () => {
  const convex = await import("flagpost/convex");
  const names = [
    "Flagpost", "commit", "convexSource", "flagpostTables", "read", "readSnapshot", "remove", "setFlagDefinitions", "snapshot", "stage", "sweep",
  ];
  for (const module of [convex, require("flagpost/convex")]) assert.deepEqual(Object.keys(module).sort(), names);
  for (const peer of Object.keys(manifest.peerDependencies)) assert.deepEqual(manifest.peerDependenciesMeta[peer], { optional: true }, peer);
  assert.equal(manifest.dependencies, undefined);
  const scripts = [".", "./slim"].flatMap((entry) => targets(manifest.exports[entry])).filter((file) => /\.c?js$/.test(file));
  for (const target of new Set(scripts)) {
    assert.ok(!/(from|require\()\s*["']convex/.test(readFileSync(new URL(target, folder), "utf8")), target);
  }
});

test("OpenFeature's parts need nothing but @openfeature/core, and bring no evaluator", async () => {
  for (const entry of ["openfeature", "openfeature-web"]) {
    for (const module of [await import(`flagpost/${entry}`), require(`flagpost/${entry}`)]) assert.deepEqual(Object.keys(module), ["FlagpostProvider"]);
    for (const target of new Set(targets(manifest.exports[`./${entry}`]).filter((file) => /\.c?js$/.test(file)))) {
      const script = readFileSync(new URL(target, folder), "utf8");
      const imported = [...script.matchAll(/\b(?:from|require\()\s*["']([^"']+)["']/g)].map(([, name]) => name);
      assert.deepEqual([...new Set(imported)], ["@openfeature/core"], target);
      assert.ok(!script.includes("WebAssembly."), target);
    }
  }
});

test("refreshing is an entry of its own, with the compiler and without the evaluator", async () => {
  const refresh = await import("flagpost/refresh");
  const names = ["FlagpostError", "createScheduled", "denoKvTarget", "kvTarget", "memoryTarget", "r2Target", "refresh"];
  for (const module of [refresh, require("flagpost/refresh")]) assert.deepEqual(Object.keys(module).sort(), names);
  const [evaluator, compiler] = ["evaluator", "compiler"].map((name) => readFileSync(new URL(`dist/${name}.wasm`, folder), "base64"));
  const text = (script) => readFileSync(new URL(`dist/${script}`, folder), "utf8");
  for (const script of ["refresh.js", "refresh.cjs"]) assert.deepEqual([text(script).includes(evaluator), text(script).includes(compiler)], [false, true], script);
  for (const script of ["workerd-refresh.js", "edge-light-refresh.js"]) assert.doesNotMatch(text(script), /evaluator\.wasm/, script);
});

test("an error nobody catches prints lines that a person can read", () => {
  const script = 'import { load } from "flagpost"; load("{}");';
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /the definitions have no `flags`/);
  assert.ok(Math.max(...stderr.split("\n").map((line) => line.length)) < 300, stderr.slice(0, 1000));
});

test("the modules name no folder of the machine that built them", () => {
  for (const name of ["evaluator", "compiler"]) {
    const module = readFileSync(new URL(`dist/${name}.wasm`, folder), "latin1");
    for (const path of [homedir(), fileURLToPath(new URL("..", folder))]) assert.ok(!module.includes(path), `${name}: ${path}`);
  }
});

test("the slim package brings the evaluator and not the compiler", () => {
  const [evaluator, compiler] = ["evaluator", "compiler"].map((name) => readFileSync(new URL(`dist/${name}.wasm`, folder), "base64"));
  const text = (script) => readFileSync(new URL(`dist/${script}`, folder), "utf8");
  for (const script of ["slim.js", "slim.cjs"]) assert.deepEqual([text(script).includes(evaluator), text(script).includes(compiler)], [true, false], script);
  for (const script of ["index.js", "index.cjs"]) assert.deepEqual([text(script).includes(evaluator), text(script).includes(compiler)], [true, true], script);
  for (const script of ["workerd-slim.js", "edge-light-slim.js"]) assert.doesNotMatch(text(script), /compiler\.wasm|compiler_bg/, script);
});

test("importing does no work: nothing is decoded or compiled before the first use", () => {
  const script = `
    let work = 0;
    for (const name of ["Module", "Instance"]) {
      WebAssembly[name] = new Proxy(WebAssembly[name], { construct: (target, parts) => { work++; return new target(...parts); } });
    }
    for (const name of ["TextDecoder", "TextEncoder"]) {
      globalThis[name] = new Proxy(globalThis[name], { construct: (target, parts) => { work++; return new target(...parts); } });
    }
    for (const name of ["from", "alloc"]) {
      const original = Buffer[name];
      Buffer[name] = (...parts) => { work++; return original.apply(Buffer, parts); };
    }
    const { evaluate } = await import("flagpost");
    await import("flagpost/slim");
    const imported = work;
    evaluate({ flags: [] }, { distinctId: "u" });
    console.log(imported, work > 0);
  `;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder, encoding: "utf8" });
  assert.equal(printed.trim(), "0 true");
});

test("nothing in the scripts reaches for Node", () => {
  for (const script of ["index.js", "index.cjs", "workerd.js", "edge-light.js", "slim.js", "slim.cjs", "workerd-slim.js", "edge-light-slim.js"]) {
    const text = readFileSync(new URL(`dist/${script}`, folder), "utf8");
    assert.doesNotMatch(text, /["']node:|\brequire\(|\bprocess\./, script);
  }
});

test("base64 is decoded the same way without help from the runtime", () => {
  const script = `
    globalThis.Buffer = undefined;
    delete Uint8Array.fromBase64;
    const { evaluateFlag } = await import("flagpost");
    const definitions = { flags: [{ key: "on", active: true, filters: { groups: [{ rollout_percentage: 100 }] } }] };
    console.log(JSON.stringify(evaluateFlag(definitions, "on", { distinctId: "u" })));
  `;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder, encoding: "utf8" });
  assert.equal(printed.trim(), '{"value":true}');
});
