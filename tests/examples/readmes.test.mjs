/** The commands with which the examples' READMEs write a snapshot and its typings, as they stand there. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { INSIDE, succeed } from "../packaging/project.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { REFRESHER, upstreamEnv } from "../support/refresher.mjs";
import { ROOT } from "../support/worker.mjs";
import { copyOf, EXAMPLES } from "./support.mjs";

/** What runs until it is stopped, installs, or holds a placeholder; the other tests do what they do. */
const LEFT_OUT = /^(?:(?:npm|deno) install$|export POSTHOG_|python3 -m http\.server|npx wrangler dev$)/;

const TYPINGS = { "cloudflare-worker": undefined, deno: "flags.d.ts", hono: "src/flags.d.ts", "next-edge": "lib/flags.d.ts", node: "flags.d.ts" };

let posthog;
before(async () => (posthog = await startPostHog()));
after(() => posthog?.close());

for (const [name, typings] of Object.entries(TYPINGS)) {
  test(`the README of ${name} prepares what it says`, async () => {
    const readme = readFileSync(join(EXAMPLES, name, "README.md"), "utf8");
    const [block] = readme.match(/```sh\n.*?```/s);
    const lines = block.split("\n").slice(1, -1).map((line) => line.trim());
    const commands = lines.filter((line) => !LEFT_OUT.test(line));
    // Inside the repository, where wrangler is installed.
    const project = await copyOf(name, INSIDE);
    try {
      const PATH = [dirname(REFRESHER), join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter);
      const env = { ...upstreamEnv(posthog), PATH, CI: "1", WRANGLER_SEND_METRICS: "false", DENO_DIR: join(project.path, ".deno") };
      await succeed("README's commands", "bash", ["-euc", commands.join("\n")], { cwd: project.path, env });
      assert.ok(readdirSync(join(project.path, "snapshots")).includes("flags.snapshot"));
      // Those that come with the example have three flags.
      if (typings !== undefined) assert.match(readFileSync(join(project.path, typings), "utf8"), /"vip-support": \{/);
      assert.equal(readdirSync(project.path).includes(".wrangler"), /wrangler kv key put/.test(block), "a local KV");
    } finally {
      project.remove();
    }
  });
}
