/** examples/deno, copied and run with the packed package and the permissions of its task. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { program, succeed } from "../packaging/project.mjs";
import { run, start } from "../support/processes.mjs";
import { assertAllFlags, assertPrices, assertRefusesNobody, copyOf, serveSnapshot, writeSnapshot } from "./support.mjs";

const env = { PORT: "0", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

let project;
let bucket;
let server;
let url;
before(async () => {
  project = await copyOf("deno");
  await writeSnapshot(join(project.path, "snapshots"));
  bucket = await serveSnapshot(join(project.path, "snapshots"));
  server = start("deno task start", program("deno"), ["task", "start"], { cwd: project.path, env: { ...env, FLAGS_URL: bucket.url } });
  const port = await server.waitFor("its address", (log) => log.match(/Listening on http:\/\/\S+:(\d+)/)?.[1]);
  url = `http://127.0.0.1:${port}`;
});
after(async () => {
  await server?.stop();
  await bucket?.close();
  project?.remove();
});

test("the example type-checks in Deno", async () => {
  await succeed("deno task check", program("deno"), ["task", "check"], { cwd: project.path, env });
});

test("the server answers as posthog-node does, and asked for the snapshot once", async () => {
  await assertPrices(url);
  await assertAllFlags(url);
  assert.deepEqual(bucket.requests, [200]);
});

test("a user who is none is refused, and so is another address", async () => {
  await assertRefusesNobody(url);
  assert.equal((await fetch(`${url}/prices`)).status, 404);
});

test("without the address of a snapshot it says which variable to set", async () => {
  const { code, stderr } = await run("deno task start", program("deno"), ["task", "start"], { cwd: project.path, env: { ...env, FLAGS_URL: undefined } });
  assert.equal(code, 1);
  assert.match(stderr, /set FLAGS_URL=/);
});
