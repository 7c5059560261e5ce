/** examples/deno, copied and run with the packed package and the permissions of its task. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { program, succeed } from "../packaging/project.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { start } from "../support/processes.mjs";
import { upstreamEnv } from "../support/refresher.mjs";
import { assertAllFlags, assertPrices, assertRefusesNobody, copyOf, serveSnapshot, writeSnapshot } from "./support.mjs";

let project;
let env;
let bucket;
let posthog;
before(async () => {
  project = await copyOf("deno");
  // Deno KV's file is in there, too.
  env = { PORT: "0", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(project.path, ".deno") };
  await writeSnapshot(join(project.path, "snapshots"));
  bucket = await serveSnapshot(join(project.path, "snapshots"));
  posthog = await startPostHog();
});
after(async () => {
  await bucket?.close();
  await posthog?.close();
  project?.remove();
});

/** Runs `use` with the address of the server, and its log. */
async function serving(variables, use) {
  const server = start("deno task start", program("deno"), ["task", "start"], { cwd: project.path, env: { ...env, ...variables } });
  try {
    const port = await server.waitFor("its address", (log) => log.match(/Listening on http:\/\/\S+:(\d+)/)?.[1]);
    await use(`http://127.0.0.1:${port}`, server.log);
  } finally {
    await server.stop();
  }
}

test("the example type-checks in Deno", async () => {
  await succeed("deno task check", program("deno"), ["task", "check"], { cwd: project.path, env });
});

test("with an address it answers as posthog-node does, and asks for the snapshot once", async () => {
  await serving({ FLAGS_URL: bucket.url }, async (url) => {
    await assertPrices(url);
    await assertAllFlags(url);
    assert.deepEqual(bucket.requests, [200]);
    await assertRefusesNobody(url);
    assert.equal((await fetch(`${url}/prices`)).status, 404);
  });
});

test("without one it fetches the definitions into Deno KV, and answers from there when it starts again", async () => {
  const variables = { FLAGS_URL: undefined, ...upstreamEnv(posthog) };
  await serving(variables, async (url, log) => {
    assert.match(log(), /"status":"updated"/);
    await assertPrices(url);
    await assertAllFlags(url);
  });
  await serving(variables, async (url, log) => {
    assert.doesNotMatch(log(), /"status"/);
    await assertAllFlags(url);
  });
  assert.equal(posthog.requests.length, 1);
});
