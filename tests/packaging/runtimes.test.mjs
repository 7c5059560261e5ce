/** The packed package run in each runtime, its answers compared with posthog-node's. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
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
};
for (const [name, ask] of Object.entries(runtimes)) {
  test(`the packed package answers as posthog-node does in ${name}`, async () => {
    assert.deepEqual(await ask(), expected);
  });
}
