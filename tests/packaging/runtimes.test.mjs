/** The packed package run in each runtime, its answers compared with posthog-node's. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { asking, askingModule, askReference } from "./answers.mjs";
import { installPackage, program, succeed } from "./project.mjs";

let project;
let expected;

before(async () => {
  project = await installPackage();
  expected = await askReference();
  for (const [name, file] of [["flagpost", "answers"], ["flagpost/slim", "slim"]]) {
    project.write(`${file}.mjs`, askingModule(name, "console.log(answers());"));
    project.write(`${file}.cjs`, `const { evaluate, load } = require("${name}");${asking[name]}console.log(answers());`);
  }
});
after(() => project?.remove());

async function answersOf(name, command, ...args) {
  const printed = await succeed(name, command, args, { cwd: project.path, env: { NO_COLOR: "1" } });
  return JSON.parse(printed);
}

const runtimes = {
  "Node, ESM": () => answersOf("node", process.execPath, "answers.mjs"),
  "Node, CJS": () => answersOf("node", process.execPath, "answers.cjs"),
  "Deno, without any permission": () => answersOf("deno", program("deno"), "run", "--no-prompt", "--node-modules-dir=manual", "answers.mjs"),
  "Bun, ESM": () => answersOf("bun", program("bun"), "answers.mjs"),
  "Bun, CJS": () => answersOf("bun", program("bun"), "answers.cjs"),
  "Node, ESM, slim": () => answersOf("node", process.execPath, "slim.mjs"),
  "Node, CJS, slim": () => answersOf("node", process.execPath, "slim.cjs"),
  "Deno, slim": () => answersOf("deno", program("deno"), "run", "--no-prompt", "--node-modules-dir=manual", "slim.mjs"),
  "Bun, slim": () => answersOf("bun", program("bun"), "slim.mjs"),
  "a browser bundle of esbuild": async () => {
    await bundle({ outfile: "browser.js", format: "iife", platform: "browser", minify: true });
    return answersOf("node", process.execPath, project.write("browser.cjs", readFileSync(`${project.path}/browser.js`, "utf8")));
  },
  "an edge-light bundle, its module handed over compiled": async () => {
    await bundle({ outfile: "edge.mjs", format: "esm", platform: "neutral", conditions: ["edge-light"], plugins: [compiledModules] });
    return answersOf("node", process.execPath, "edge.mjs");
  },
  "a slim edge-light bundle": async () => {
    await bundle({ entry: "slim.mjs", outfile: "edge-slim.mjs", format: "esm", platform: "neutral", conditions: ["edge-light"], plugins: [compiledModules] });
    return answersOf("node", process.execPath, "edge-slim.mjs");
  },
};
for (const [name, ask] of Object.entries(runtimes)) {
  test(`the packed package answers as posthog-node does in ${name}`, async () => {
    assert.deepEqual(await ask(), expected);
  });
}

function bundle({ entry = "answers.mjs", outfile, ...options }) {
  return build({ ...options, entryPoints: [`${project.path}/${entry}`], outfile: `${project.path}/${outfile}`, bundle: true, logLevel: "silent" });
}

/** What an edge bundler does with `?module`: the import becomes a WebAssembly.Module. */
const compiledModules = {
  name: "compiled-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({ path: `${resolveDir}/${path.split("?")[0]}`, namespace: "compiled" }));
    onLoad({ filter: /.*/, namespace: "compiled" }, ({ path }) => ({
      contents: `export default new WebAssembly.Module(Buffer.from("${readFileSync(path, "base64")}", "base64"));`,
    }));
  },
};
