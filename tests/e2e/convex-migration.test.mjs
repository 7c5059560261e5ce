/** The page for users of @posthog/convex: its files and commands as they stand there. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { PostHog } from "@posthog/convex";
import { Flagpost } from "flagpost/convex";
import { bundleConvex, folderInside, importConvex } from "../support/convex-bundler.mjs";
import { startConvex } from "../support/local-convex.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { run } from "../support/processes.mjs";
import { openReference } from "../support/reference.mjs";
import { REFRESHER, upstreamEnv } from "../support/refresher.mjs";
import { ROOT } from "../support/worker.mjs";

const page = readFileSync(join(ROOT, "docs", "migrate-from-posthog-convex.md"), "utf8");
const blocks = (language) =>
  [...page.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\``, "gms"))].map(([, indent, code]) => code.replaceAll(new RegExp(`^${indent}`, "gm"), ""));

/** What `npx convex dev` would generate, as far as the page uses it. */
const GENERATED = 'export { queryGeneric as query } from "convex/server";\n';

test("the page's files, written to by its command, answer as posthog-node does", async () => {
  const folder = folderInside();
  const posthog = await startPostHog();
  let convex;
  try {
    mkdirSync(join(folder, "convex", "_generated"), { recursive: true });
    writeFileSync(join(folder, "convex", "_generated", "server.js"), GENERATED);
    const files = blocks("ts");
    for (const code of files) writeFileSync(join(folder, /^\/\/ (convex\/\w+\.ts)$/m.exec(code)[1]), code);
    assert.equal(files.length, 4);

    convex = await startConvex(await importConvex(await bundleConvex(join(folder, "convex")), join(folder, "bundled")));
    const env = { ...upstreamEnv(posthog), CONVEX_URL: convex.url, CONVEX_DEPLOY_KEY: convex.key, PATH: `${dirname(REFRESHER)}${delimiter}${process.env.PATH}` };
    const { code, stdout, stderr } = await run("bash", "bash", ["-euc", blocks("sh").join("\n")], { cwd: folder, env });
    assert.equal(code, 0, stdout + stderr);

    const reference = openReference({ host: posthog.url, projectKey: posthog.projectKey, personalKey: posthog.personalKey });
    try {
      const expected = await reference.evaluateFlag("pricing-experiment", { distinctId: "user-1" });
      assert.equal(typeof expected.value, "string");
      const response = await fetch(`${convex.url}/api/query`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ path: "discounts:get", args: { distinctId: "user-1" }, format: "json" }),
      });
      assert.deepEqual(await response.json(), { status: "success", value: expected.payload ?? null });
    } finally {
      await reference.close();
    }
  } finally {
    await convex?.stop();
    await posthog.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the methods that the page calls the same are both packages', and the others are theirs alone", () => {
  const { version } = createRequire(import.meta.url)(createRequire(import.meta.url).resolve("@posthog/convex/package.json"));
  assert.ok(page.includes(`@posthog/convex ${version}`));
  const [, same] = /^\| ((?:`get|`is).*?) \| the same \|$/m.exec(page);
  const names = same.match(/\w+/g);
  assert.equal(names.length, 6);
  const methodsOf = ({ prototype }) => Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
  assert.deepEqual(methodsOf(Flagpost).sort(), [...names, "forUser"].sort());
  for (const name of names) assert.ok(methodsOf(PostHog).includes(name), name);
  const kept = ["capture", "identify", "alias", "groupIdentify", "captureException", "reloadFeatureFlags"];
  for (const name of kept) assert.ok(methodsOf(PostHog).includes(name) && page.includes(`\`${name}\``), name);
});
