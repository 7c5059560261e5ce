/** README's commands and snippets are run as they stand there. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildSync } from "esbuild";
import { DEFAULT_KEY, evaluate, load } from "flagpost";
import { Miniflare } from "miniflare";
import { startPostHog } from "../support/posthog.mjs";
import { run } from "../support/processes.mjs";
import { REFRESHER, upstreamEnv } from "../support/refresher.mjs";
import { ROOT } from "../support/worker.mjs";

const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const blocks = (language) => [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code);

const folder = mkdtempSync(join(tmpdir(), "flagpost-readme-"));
let posthog;
before(async () => {
  for (const name of ["target", "tests", "node_modules"]) symlinkSync(join(ROOT, name), join(folder, name));
  posthog = await startPostHog({ projectKey: "phc_your_project_key", personalKey: "phx_your_personal_key" });
});
after(async () => {
  await posthog.close();
  rmSync(folder, { recursive: true, force: true });
});

const lines = blocks("sh").flatMap((block) => block.trim().split("\n"));

test("every make target that README names exists", async () => {
  const targets = lines.filter((line) => line.startsWith("make ")).map((line) => line.split(/\s+/)[1]);
  assert.deepEqual([...new Set(targets)].sort(), ["build", "demo", "test"]);
  for (const target of targets) {
    const { code, stderr } = await run("make", "make", ["--dry-run", target], { cwd: ROOT });
    assert.equal(code, 0, stderr);
  }
});

test("README's shell commands do what the text around them says", async () => {
  const script = lines.filter((line) => !line.startsWith("make ")).join("\n");
  const { code, stdout, stderr } = await run("bash", "bash", ["-euc", script], { cwd: folder, env: { ...upstreamEnv(posthog), POSTHOG_HOST: posthog.url } });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^updated: 72 flags/m);
  assert.match(stdout, /"status": ?"unchanged"/);
  assert.match(stdout, /"featureFlags": \{/);
  assert.match(stdout, /"value": (true|false)/);
});

test("the refresher writes to the key that the package reads, unless either is told another", async () => {
  const { stdout } = await run("refresher", REFRESHER, ["run", "--help"], { cwd: ROOT });
  assert.equal(stdout.split(`KEY is \`${DEFAULT_KEY}\` unless given`).length - 1, 2, "for KV and for S3");
});

test("README's Worker answers from KV in workerd", async () => {
  const [worker] = blocks("ts");
  writeFileSync(join(folder, "worker.ts"), worker);
  buildSync({
    entryPoints: [join(folder, "worker.ts")], bundle: true, format: "esm", platform: "neutral", conditions: ["workerd"],
    loader: { ".wasm": "copy" }, outdir: join(folder, "out"), assetNames: "[name]", logLevel: "error",
  });
  const miniflare = new Miniflare({
    modulesRoot: join(folder, "out"),
    modules: [
      { type: "ESModule", path: join(folder, "out/worker.js") },
      { type: "CompiledWasm", path: join(folder, "out/evaluator.wasm") },
    ],
    compatibilityDate: "2025-09-01", kvNamespaces: ["FLAGS"], cf: false,
  });
  try {
    const snapshot = readFileSync(join(folder, "flags.snapshot"));
    await (await miniflare.getKVNamespace("FLAGS")).put("flagpost", new Uint8Array(snapshot).buffer);
    const response = await miniflare.dispatchFetch("http://worker/?user=user-7");
    const expected = evaluate(load(snapshot), { distinctId: "user-7", personProperties: { plan: "pro" } });
    assert.deepEqual(await response.json(), JSON.parse(JSON.stringify(expected)));
  } finally {
    await miniflare.dispose();
  }
});

test("README's snippet for Node answers from the snapshot in a file", async () => {
  const [snippet] = blocks("js");
  writeFileSync(join(folder, "answer.mjs"), snippet);
  const { code, stdout, stderr } = await run("node", process.execPath, ["answer.mjs"], { cwd: folder });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /'checkout-redesign': (true|false)/);
  assert.match(stdout, /\{ value: (true|false)/);
});
