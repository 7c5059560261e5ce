/** The program `flagpost` of the packed package, and snapshots that a build puts into a script. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { temporaryFolder } from "../support/worker.mjs";
import { bundleByWrangler, installPackage, succeed } from "./project.mjs";

const definitions = JSON.parse(readFileSync(new URL("../fixtures/definitions.json", import.meta.url), "utf8"));
const ANSWER = '{"value":true}';
let project;
let flagpost;

before(async () => {
  project = await installPackage();
  const bin = join(project.path, "node_modules", ".bin", "flagpost");
  flagpost = (...args) => succeed("flagpost", bin, args, { cwd: project.path });
  project.write("flags.snapshot", compiledSnapshot({ checked_at: new Date().toISOString() }, definitions));
});
after(() => project?.remove());

test("npx and node_modules/.bin start the program", async () => {
  const { version } = JSON.parse(readFileSync(join(project.path, "node_modules", "flagpost", "package.json"), "utf8"));
  assert.equal(await flagpost("--version"), `${version}\n`);
  assert.equal(await succeed("npx", "npx", ["--no-install", "flagpost", "--version"], { cwd: project.path }), `${version}\n`);
});

test("a project gets its flags' types, and CI is told when they are no longer right", async () => {
  await flagpost("types", "flags.snapshot", "-o", "flags.d.ts");
  assert.match(readFileSync(join(project.path, "flags.d.ts"), "utf8"), /"pricing-experiment": \{\n {4}value: false \| "annual-first"/);
  assert.equal(await flagpost("types", "flags.snapshot", "--check", "flags.d.ts"), "");
  project.write("flags.d.ts", "export interface Flags {}\n");
  await assert.rejects(flagpost("types", "flags.snapshot", "--check", "flags.d.ts"), /exit code 1:\n[^]*\+ "pricing-experiment"/);
});

test("an embedded snapshot is answered from by Node, and by a bundle of one file", async () => {
  await flagpost("embed", "flags.snapshot", "-o", "flags.snapshot.mjs");
  const body = 'console.log(JSON.stringify(evaluateFlag(Uint8Array.from(atob(snapshot), (c) => c.charCodeAt(0)), "dark-theme", { distinctId: "u" })));';
  project.write("embedded.mjs", `import { evaluateFlag } from "flagpost/slim";\nimport snapshot from "./flags.snapshot.mjs";\n${body}`);
  assert.equal(await answerOf("embedded.mjs"), ANSWER);
  await build({ entryPoints: [join(project.path, "embedded.mjs")], outfile: join(project.path, "bundle.mjs"), bundle: true, format: "esm", platform: "neutral", logLevel: "silent" });
  assert.equal(await answerOf("bundle.mjs"), ANSWER);
});

test("esbuild's loader for binary files gives what load takes", async () => {
  // Without a target it reads base64 by a function that Node 20 does not have.
  project.write("binary.mjs", 'import { evaluateFlag } from "flagpost/slim";\nimport snapshot from "./flags.snapshot";\nconsole.log(JSON.stringify(evaluateFlag(snapshot, "dark-theme", { distinctId: "u" })));');
  await build({ entryPoints: [join(project.path, "binary.mjs")], outfile: join(project.path, "binary.bundle.mjs"), bundle: true, format: "esm", platform: "neutral", loader: { ".snapshot": "binary" }, target: "es2022", logLevel: "silent" });
  assert.equal(await answerOf("binary.bundle.mjs"), ANSWER);
});

test("wrangler's rule for data gives what load takes", async (context) => {
  const outputs = temporaryFolder("data");
  context.after(outputs.remove);
  project.write("worker.js", `
import { evaluateFlag } from "flagpost/slim";
import snapshot from "./flags.snapshot";
export default { fetch: () => Response.json(evaluateFlag(snapshot, "dark-theme", { distinctId: "u" })) };
`);
  project.write("wrangler.toml", 'name = "data"\nmain = "worker.js"\ncompatibility_date = "2025-05-01"\nrules = [{ type = "Data", globs = ["**/*.snapshot"] }]\n');
  const bundle = await bundleByWrangler(project.path, outputs.path);
  const [, ...brought] = bundle.modules;
  assert.equal(brought.length, 2);
  const miniflare = new Miniflare({
    ...bundle,
    compatibilityDate: "2025-05-01",
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  context.after(() => miniflare.dispose());
  assert.equal(await (await miniflare.dispatchFetch("http://worker/")).text(), ANSWER);
});

async function answerOf(script) {
  return (await succeed("node", process.execPath, [script], { cwd: project.path })).trim();
}
