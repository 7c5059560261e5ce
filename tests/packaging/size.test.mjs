/** What a Worker with the package weighs, bundled by wrangler as for an upload, against tests/budgets.json. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { installPackage, program, succeed } from "./project.mjs";

const at = (path) => new URL(`../../${path}`, import.meta.url);
const { worker: BUDGETS } = JSON.parse(readFileSync(at("tests/budgets.json"), "utf8"));

let project;
before(async () => {
  project = await installPackage();
  // What the example's index.ts imports.
  project.write("user.ts", example("user.ts"));
  project.write("wrangler.toml", 'name = "weighed"\nmain = "worker.ts"\ncompatibility_date = "2025-09-01"\n');
});
after(() => project?.remove());

/** What wrangler would upload, each file with its compressed size. */
async function upload(name, source) {
  const out = join(project.path, "out", name);
  const env = { CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(project.path, "logs") };
  const args = [program("wrangler"), "deploy", project.write(`${name}.ts`, source), "--dry-run", "--minify", "--outdir", out];
  await succeed("wrangler", process.execPath, args, { cwd: project.path, env });
  const files = readdirSync(out)
    .filter((file) => file !== "README.md" && !file.endsWith(".map"))
    .map((file) => ({ file: file.replace(/^[0-9a-f]{40}-/, ""), gzip: gzipSync(readFileSync(join(out, file))).length }));
  const total = files.reduce((sum, { gzip }) => sum + gzip, 0);
  console.log(`${name}: gzip ${total} bytes: ${files.map(({ file, gzip }) => `${file} ${gzip}`).join(" + ")}`);
  return { files: files.map(({ file }) => file).sort(), total };
}

const example = (name) => readFileSync(at(`examples/cloudflare-worker/src/${name}`), "utf8");
const workers = {
  evaluating: `
    import { createReader, evaluate } from "flagpost/slim";
    let reader: ReturnType<typeof createReader> | undefined;
    export default {
      async fetch(request: Request, env: { FLAGS: any }) {
        reader ??= createReader({ source: env.FLAGS, ttl: 60 });
        return Response.json(evaluate(await reader.current(), { distinctId: "user-1" }));
      },
    };`,
  everything: `
    import * as flagpost from "flagpost/slim";
    export default { fetch: (request: Request) => Response.json(flagpost[new URL(request.url).pathname.slice(1)]) };`,
  example: example("index.ts"),
};

for (const [name, source] of Object.entries(workers)) {
  test(`a Worker with the package is within its budget: ${BUDGETS[name].what}`, async () => {
    const { files, total } = await upload(name, source);
    assert.deepEqual(files, ["evaluator.wasm", `${name}.js`].sort());
    assert.ok(total <= BUDGETS[name].gzipBytes, `gzip ${total} of ${BUDGETS[name].gzipBytes} bytes`);
  });
}

test("a Worker with the package is smaller than one with posthog-node", async () => {
  project.link("posthog-node");
  const { total } = await upload("posthog-node", `
    import { PostHog } from "posthog-node";
    export default {
      async fetch() {
        const client = new PostHog("phc_key", { personalApiKey: "phx_key" });
        return Response.json(await client.getAllFlags("user-1"));
      },
    };`);
  const ours = await upload("evaluating", workers.evaluating);
  assert.ok(ours.total < total, `${ours.total} of ${total} bytes`);
});
