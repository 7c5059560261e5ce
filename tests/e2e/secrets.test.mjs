/** Every command, every failure, at the loudest log level: no secret in anything that can be read. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { start, stopAll } from "../support/processes.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { REFRESHER, refresher, transcript, upstreamEnv } from "../support/refresher.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { LOCAL_API_TOKEN, ROOT, startWorker, temporaryFolder } from "../support/worker.mjs";

const state = temporaryFolder("e2e-secrets");
const S3_SECRET = "s3_secret_access_key_never_to_be_printed";
let posthog;
let worker;
let loud;
let secrets;

before(async () => {
  posthog = await startPostHog();
  worker = await startWorker({ state: state.path });
  loud = { ...upstreamEnv(posthog), ...worker.refresherEnv, RUST_LOG: "trace", RUST_BACKTRACE: "full" };
  secrets = [posthog.personalKey, LOCAL_API_TOKEN, S3_SECRET, `token=${posthog.projectKey}`];
});

after(async () => {
  await stopAll();
  await posthog?.close();
  state.remove();
});

/** Looks for every secret as it is, and as base64 and in a URL; the message shows the place, not the secret. */
function assertNoSecret(text, where) {
  for (const secret of secrets) {
    for (const form of [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)]) {
      const at = text.indexOf(form);
      assert.equal(at, -1, `${where} contains ${secret.slice(0, 8)}… after: ${text.slice(Math.max(0, at - 120), at)}`);
    }
  }
}

const faults = [null, { status: 401 }, { status: 402 }, { status: 403 }, { status: 429, retryAfter: 9999 }, { status: 500 },
  { drop: true }, { cutAfter: 500 }, { body: "no json" }, { status: 302, headers: { location: "http://127.0.0.1:9/" } }];

test("runs that work and runs that fail print no secret at the loudest level", async () => {
  const folder = `file:${join(state.path, "snapshots")}`;
  // A server that answers with what it was asked is the worst case for an error that quotes the answer.
  const echo = { status: 500, body: `you sent Bearer ${posthog.personalKey}` };
  for (const fault of [...faults, echo]) {
    posthog.setFault(fault);
    for (const store of [folder, worker.store]) {
      for (const format of [[], ["--json"]]) {
        await refresher(["run", "-vv", "--store", store, "--retries", "1", "--retry-delay", "1ms", ...format], loud);
      }
    }
  }
  posthog.setFault(null);
  const once = ["run", "-vv", "--retries", "0"];
  await refresher([...once, "--store", worker.store], { ...loud, CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9/x" });
  await refresher([...once, "--store", worker.store], { ...loud, POSTHOG_HOST: "http://127.0.0.1:9" });
  await refresher([...once, "--store", "s3://bucket/key", "--s3-endpoint", "http://127.0.0.1:9"], {
    ...loud, AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: S3_SECRET, AWS_ALLOW_HTTP: "true",
  });
  assert.ok(transcript.length > 40, "the runs took place");
  assert.match(transcript.join("\n"), /updated/, "and at least one of them worked");
  assertNoSecret(transcript.join("\n"), "the refresher's output");
});

test("a secret given as an argument is refused without an echo", async () => {
  const { code, stdout, stderr } = await refresher(["run", "--personal-api-key", posthog.personalKey], loud);
  assert.equal(code, 2);
  assert.match(stderr, /POSTHOG_PERSONAL_API_KEY/);
  assertNoSecret(stdout + stderr, "the refusal");
});

test("compile, eval and the help print no secret", async () => {
  const definitions = join(state.path, "definitions.json");
  writeFileSync(definitions, '{"flags":[{"key":"a","active":true,"filters":{"groups":[{}]}}]}');
  const snapshot = join(state.path, "a.snapshot");
  const outputs = [];
  for (const args of [
    ["compile", definitions, "-o", snapshot], ["compile", "/nowhere", "-o", snapshot],
    ["eval", snapshot, "--user", JSON.stringify(FIXTURE_USERS[0])], ["eval", snapshot, "--user", "{"],
    ["eval", definitions, "--user", '{"distinctId":"a"}', "--flag", "nope"], ["--help"], ["run", "--help"], ["--nonsense"],
  ]) {
    const { stdout, stderr } = await refresher(["-vv", ...args], loud);
    outputs.push(stdout, stderr);
  }
  assert.ok(outputs.join("").length > 2000, "there was something to search");
  assertNoSecret(outputs.join("\n"), "the output");
});

test("the arguments of a running refresher, which anyone can list, hold no secret", { skip: process.platform !== "linux" && "reads /proc" }, async () => {
  posthog.setFault({ delayMs: 1500 });
  const child = start("refresher", REFRESHER, ["run", "--store", worker.store], { cwd: ROOT, env: loud });
  const argumentsOf = await child.waitFor("its arguments", () => readFileSync(`/proc/${child.pid}/cmdline`, "utf8").includes("--store") && readFileSync(`/proc/${child.pid}/cmdline`, "utf8"), 5000);
  assertNoSecret(argumentsOf, "the process list");
  posthog.setFault(null);
  await child.stop();
});

test("the worker's log, its answers and the stored snapshot hold no secret", async () => {
  const { body } = await worker.ask(FIXTURE_USERS[0]);
  assertNoSecret(JSON.stringify(body), "the answer");
  // wrangler logs a request after it has answered it.
  const log = await worker.process.waitFor("the request in its log", (text) => /POST \//.test(text) && text);
  assertNoSecret(log, "wrangler's log");
  const stored = readdirSync(state.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(stored.length > 2);
  for (const entry of stored) assertNoSecret(readFileSync(join(entry.parentPath ?? entry.path, entry.name), "latin1"), entry.name);
});
