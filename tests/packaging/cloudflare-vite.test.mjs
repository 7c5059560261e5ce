/** The packed package in a Worker made with Cloudflare's Vite plugin: its development server, and its build in workerd. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Miniflare } from "miniflare";
import { start } from "../support/processes.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { askReference, definitions, snapshot } from "./answers.mjs";
import { installPackage, program, succeed } from "./project.mjs";

const SOURCES = { flagpost: definitions, "flagpost/slim": snapshot };
const env = { CI: "1", NO_COLOR: "1", NODE_ENV: undefined, WRANGLER_SEND_METRICS: "false" };

let project;
let expected;

before(async () => {
  project = await installPackage();
  expected = await askReference();
  for (const name of ["vite", "@cloudflare/vite-plugin", "wrangler"]) project.link(name);
  for (const name of Object.keys(SOURCES)) {
    const folder = folderOf(name);
    project.write(`${folder}/wrangler.jsonc`, JSON.stringify({
      name: "packed", main: "worker.ts", compatibility_date: "2025-09-01", kv_namespaces: [{ binding: "FLAGS", id: "flags" }],
    }));
    project.write(`${folder}/vite.config.mjs`, `
      import { cloudflare } from "@cloudflare/vite-plugin";
      export default { plugins: [cloudflare({ inspectorPort: false })], server: { host: "127.0.0.1", port: 0 } };`);
    project.write(`${folder}/worker.ts`, `
      import { createReader, evaluate, type Reader } from "${name}";
      let reader: Reader | undefined;
      export default {
        async fetch(request: Request, env: any) {
          if (request.method === "PUT") return new Response(await env.FLAGS.put("flagpost", await request.arrayBuffer()));
          reader ??= createReader({ source: env.FLAGS, ttl: 0 });
          return Response.json(evaluate(await reader.current(), await request.json()));
        },
      };`);
  }
});
after(() => project?.remove());

const folderOf = (name) => name.replace("/", "-");

/** Puts the flags into the Worker's own KV, and asks it for every user. */
async function answers(fetch, url, body) {
  await fetch(url, { method: "PUT", body });
  return Promise.all(FIXTURE_USERS.map(async (user) => (await fetch(url, { method: "POST", body: JSON.stringify(user) })).json()));
}

for (const [name, body] of Object.entries(SOURCES)) {
  test(`a Worker with ${name} answers as posthog-node does in the plugin's development server`, async () => {
    const cwd = join(project.path, folderOf(name));
    const server = start("vite", process.execPath, [program("vite"), "dev"], { cwd, env });
    try {
      const url = await server.waitFor("its address", (log) => log.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0]);
      assert.deepEqual(await answers(fetch, url, body), expected, server.log());
    } finally {
      await server.stop();
    }
  });

  test(`a Worker with ${name} answers as posthog-node does in workerd, as the plugin builds it`, async () => {
    const cwd = join(project.path, folderOf(name));
    await succeed("vite", process.execPath, [program("vite"), "build"], { cwd, env });
    const out = join(cwd, "dist", "packed");
    const { main, rules } = JSON.parse(readFileSync(join(out, "wrangler.json"), "utf8"));
    const miniflare = new Miniflare({
      rootPath: out, modulesRoot: out, scriptPath: join(out, main), modules: true,
      modulesRules: [...rules.map(({ type, globs }) => ({ type, include: globs })), { type: "CompiledWasm", include: ["**/*.wasm"] }],
      compatibilityDate: "2025-09-01", kvNamespaces: ["FLAGS"], host: "127.0.0.1", port: 0, cf: false,
    });
    try {
      assert.deepEqual(await answers((...parts) => miniflare.dispatchFetch(...parts), "http://worker/", body), expected);
    } finally {
      await miniflare.dispose();
    }
  });
}
