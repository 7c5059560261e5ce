/** The packed package in a Next app: built by Next, and asked over HTTP in its edge runtime and in Node. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run, start } from "../support/processes.mjs";
import { askingModule, askReference } from "./answers.mjs";
import { INSIDE, installPackage, program } from "./project.mjs";

const ROUTES = {
  edge: { name: "flagpost", runtime: "edge" },
  "edge-slim": { name: "flagpost/slim", runtime: "edge" },
  node: { name: "flagpost", runtime: "nodejs" },
  "node-slim": { name: "flagpost/slim", runtime: "nodejs" },
};
const env = { NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1", NODE_ENV: undefined };

let project;
let expected;
let server;
let url;

before(async () => {
  // Next resolves nothing that lies outside its root.
  project = await installPackage(INSIDE);
  const root = JSON.stringify(fileURLToPath(new URL("../..", import.meta.url)));
  project.write("next.config.mjs", `export default { turbopack: { root: ${root} }, outputFileTracingRoot: ${root} };`);
  project.write("app/layout.js", "export default ({ children }) => <html><body>{children}</body></html>;");
  for (const [path, { name, runtime }] of Object.entries(ROUTES)) {
    const use = 'export const GET = () => new Response(answers(), { headers: { runtime: typeof EdgeRuntime === "string" ? "edge" : "nodejs" } });';
    project.write(`app/${path}/route.js`, `export const runtime = "${runtime}"; export const dynamic = "force-dynamic";${askingModule(name, use)}`);
  }
  const built = await run("next build", process.execPath, [program("next"), "build"], { cwd: project.path, env, timeoutMs: 300_000 });
  assert.equal(built.code, 0, built.stdout + built.stderr);
  server = start("next start", process.execPath, [program("next"), "start", "--hostname", "127.0.0.1", "--port", "0"], { cwd: project.path, env });
  url = await server.waitFor("its address", (log) => log.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/)?.[0]);
  expected = await askReference();
});
after(async () => {
  await server?.stop();
  project?.remove();
});

for (const [path, { name, runtime }] of Object.entries(ROUTES)) {
  test(`a Next route with ${name} in the runtime ${runtime} answers as posthog-node does`, async () => {
    const response = await fetch(`${url}/${path}`);
    const body = await response.text();
    assert.equal(response.status, 200, `${body}${server.log()}`);
    assert.equal(response.headers.get("runtime"), runtime);
    assert.deepEqual(JSON.parse(body), expected);
  });
}

test("Next hands its edge runtime the modules compiled, and the slim one without the compiler", () => {
  const { functions } = JSON.parse(readFileSync(join(project.path, ".next/server/middleware-manifest.json"), "utf8"));
  const modules = (path) => functions[path].wasm.map(({ filePath }) => filePath.match(/flagpost_dist_([a-z]+)/)[1]).sort();
  assert.deepEqual(modules("/edge/route"), ["compiler", "evaluator"]);
  assert.deepEqual(modules("/edge-slim/route"), ["evaluator"]);
});
