/** The packed package run in each runtime, its answers compared with posthog-node's. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { openReference } from "../support/reference.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { installPackage, program, succeed } from "./project.mjs";

const definitions = readFileSync(new URL("../fixtures/definitions.json", import.meta.url), "utf8");
let project;
let expected;

before(async () => {
  project = await installPackage();
  const reference = openReference({ definitions });
  expected = await Promise.all(FIXTURE_USERS.map((user) => reference.evaluate(user)));
  await reference.close();
  // Everything is in the script, so that it needs no permission to read.
  const body = `
    const definitions = load(new TextEncoder().encode(${JSON.stringify(definitions)}));
    console.log(JSON.stringify(${JSON.stringify(FIXTURE_USERS)}.map((user) => evaluate(definitions, user))));
  `;
  project.write("answers.mjs", `import { evaluate, load } from "flagpost";${body}`);
  project.write("answers.cjs", `const { evaluate, load } = require("flagpost");${body}`);
  const snapshot = compiledSnapshot({ checked_at: "2024-05-01T10:00:00Z" }, JSON.parse(definitions));
  const slim = `
    const definitions = load(new Uint8Array(${JSON.stringify([...snapshot])}));
    console.log(JSON.stringify(${JSON.stringify(FIXTURE_USERS)}.map((user) => evaluate(definitions, user))));
  `;
  project.write("slim.mjs", `import { evaluate, load } from "flagpost/slim";${slim}`);
  project.write("slim.cjs", `const { evaluate, load } = require("flagpost/slim");${slim}`);
});
after(() => project?.remove());

async function answersOf(name, command, ...args) {
  const printed = await succeed(name, command, args, { cwd: project.path, env: { NO_COLOR: "1" } });
  return JSON.parse(printed);
}

const sorted = (answers) => answers.map((answer) => JSON.parse(JSON.stringify(answer)));

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
    assert.deepEqual(sorted(await ask()), sorted(expected));
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
