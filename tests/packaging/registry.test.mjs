/** The package installed by name, from a registry, with the command that a user of each runtime types. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { askingModule, askReference } from "./answers.mjs";
import { createProject, MANIFEST, packInto, program, succeed } from "./project.mjs";
import { startRegistry } from "./registry.mjs";

/** Answers by the whole package, once it is sure that the slim one is there too. */
const script = (name) => `
  import { load as loadSlim } from "${name}/slim";
  ${askingModule("flagpost", "console.log(answers(), loadSlim === load);").replace('"flagpost"', `"${name}"`)}`;

let packed;
let registry;
let expected;
let project;
let env;

before(async () => {
  packed = createProject();
  registry = await startRegistry(await packInto(packed.path));
  expected = await askReference();
});
after(async () => {
  await registry?.close();
  packed?.remove();
});
beforeEach(() => {
  registry.asked.length = 0;
  project = createProject();
  const home = join(project.path, ".home");
  mkdirSync(home);
  // Nobody's caches and settings, and no other registry.
  env = {
    HOME: home, DENO_DIR: join(home, "deno"), BUN_INSTALL_CACHE_DIR: join(home, "bun"), NO_COLOR: "1",
    NPM_CONFIG_REGISTRY: registry.url, npm_config_registry: registry.url, npm_config_cache: join(home, "npm"), NPM_CONFIG_USERCONFIG: join(home, ".npmrc"),
  };
});
afterEach(() => project.remove());

const at = (name, command, ...args) => succeed(name, command, args, { cwd: project.path, env });

/** What the script printed: posthog-node's answers, by a package that came from the registry. */
function assertAnswers(printed) {
  const [, answers, same] = printed.match(/^(.*) (true|false)\n$/);
  assert.deepEqual(JSON.parse(answers), expected);
  assert.equal(same, "false");
  assert.equal(registry.asked.filter((path) => path.endsWith(".tgz")).length, 1);
}

const answersInDeno = () => at("deno", program("deno"), "run", "--no-prompt", "answers.mjs");

test("npm install flagpost", async () => {
  project.write("package.json", MANIFEST);
  await at("npm", "npm", "install", "--no-audit", "--no-fund", "flagpost");
  project.write("answers.mjs", script("flagpost"));
  assertAnswers(await at("node", process.execPath, "answers.mjs"));
});

test("bun add flagpost", async () => {
  project.write("package.json", MANIFEST);
  await at("bun", program("bun"), "add", "flagpost");
  project.write("answers.mjs", script("flagpost"));
  assertAnswers(await at("bun", program("bun"), "answers.mjs"));
});

test("deno add npm:flagpost, run without any permission", async () => {
  project.write("deno.json", "{}");
  await at("deno", program("deno"), "add", "npm:flagpost");
  project.write("answers.mjs", script("flagpost"));
  assertAnswers(await answersInDeno());
});

test("npm:flagpost in a script of Deno's, run without any permission", async () => {
  project.write("answers.mjs", script("npm:flagpost"));
  assertAnswers(await answersInDeno());
});

test("npm:flagpost in an import map of Deno's", async () => {
  project.write("deno.json", JSON.stringify({ imports: { flagpost: "npm:flagpost@0", "flagpost/": "npm:/flagpost@0/" } }));
  project.write("answers.mjs", script("flagpost"));
  assertAnswers(await answersInDeno());
});
