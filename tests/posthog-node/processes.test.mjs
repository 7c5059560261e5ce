/** Several processes with a posthog-node each, which share a folder. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startPostHog } from "../support/posthog.mjs";
import { start, stopAll } from "../support/processes.mjs";
import { onFlag, textOf } from "./snapshots.mjs";

const CLIENT = fileURLToPath(new URL("client.mjs", import.meta.url));
let posthog;
let folder;

before(async () => {
  posthog = await startPostHog();
  folder = mkdtempSync(join(tmpdir(), "flagpost-processes-"));
});
after(async () => {
  await stopAll();
  await posthog?.close();
  if (folder) rmSync(folder, { recursive: true });
});

const startClient = (name, place, lockSeconds) =>
  start(name, process.execPath, [CLIENT, posthog.url, posthog.projectKey, place, String(lockSeconds)], { env: { PERSONAL_KEY: posthog.personalKey } });

/** What a process said last under a name. */
function last(client, name) {
  const lines = client.log().split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line)).findLast((line) => name in line)?.[name];
}

const knows = (client, key) => client.waitFor(`the flag ${key}`, () => last(client, "flags")?.[key]);
/** Requests of processes that had asked for nothing yet. */
const firstRequests = () => posthog.requests.filter(({ ifNoneMatch }) => ifNoneMatch === null).length;

test("one of several processes fetches, all answer, and a change reaches all of them", async () => {
  posthog.setDefinitions(textOf(onFlag("first")));
  const place = join(folder, "one-fetches");
  const clients = ["a", "b", "c", "d"].map((name) => startClient(name, place, 60));
  await Promise.all(clients.map((client) => knows(client, "first")));
  assert.equal(firstRequests(), 1);
  posthog.setDefinitions(textOf(onFlag("second")));
  await Promise.all(clients.map((client) => knows(client, "second")));
  assert.equal(firstRequests(), 1);
  assert.deepEqual(clients.map((client) => last(client, "fetches")).sort(), [false, false, false, true]);
  assert.deepEqual(clients.map((client) => last(client, "error")), Array(4).fill(undefined));
  await Promise.all(clients.map((client) => client.stop()));
});

test("a process that is killed while it fetches for the others is replaced, and one that ends at once", async () => {
  posthog.setDefinitions(textOf(onFlag("first")));
  const place = join(folder, "killed");
  const clients = ["a", "b", "c"].map((name) => startClient(name, place, 2));
  await Promise.all(clients.map((client) => knows(client, "first")));
  const leaves = [(client) => client.kill(), (client) => client.stop()];
  for (const [turn, leave] of leaves.entries()) {
    const leader = clients.find((client) => last(client, "fetches"));
    clients.splice(clients.indexOf(leader), 1);
    await leave(leader);
    posthog.setDefinitions(textOf(onFlag(`turn-${turn}`)));
    await Promise.all(clients.map((client) => knows(client, `turn-${turn}`)));
  }
  assert.equal(last(clients[0], "fetches"), true);
  assert.equal(last(clients[0], "error"), undefined);
  await clients[0].stop();
});
