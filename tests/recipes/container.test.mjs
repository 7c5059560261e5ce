/** The Containerfile's and the compose file's command lines, run; the rest of them, read. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { startKv } from "../support/local-kv.mjs";
import { run, stopAll } from "../support/processes.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { ROOT, temporaryFolder } from "../support/worker.mjs";
import { SECRET_NAME, assertNoSecretArgument, assertOptionsExist, environment, recipe, refreshOnce, values, watching, writeSecrets, yaml } from "./recipes.mjs";

const instructions = recipe("container", "Containerfile")
  .replace(/^#.*\n/gm, "").replace(/\\\n\s*/g, "").split("\n").filter(Boolean)
  .map((line) => ({ name: line.split(" ")[0], rest: line.slice(line.indexOf(" ") + 1) }));
const last = (name) => instructions.findLast((instruction) => instruction.name === name)?.rest;
const CMD = JSON.parse(last("CMD"));
const compose = yaml(recipe("container", "compose.yaml"));
const service = compose.services.refresher;

const state = temporaryFolder("recipes-container");
const secrets = join(state.path, "secrets");
let posthog;
before(async () => {
  posthog = await startPostHog();
});
after(async () => {
  await stopAll();
  await posthog?.close();
  state.remove();
});

test("the image holds the refresher, certificates and nothing else, and is not root", () => {
  assert.equal(last("FROM"), "scratch");
  const final = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
  assert.deepEqual(final.filter(({ name }) => name === "COPY").map(({ rest }) => rest.split(" ").at(-1)), ["/etc/ssl/certs/ca-certificates.crt", "/refresher"]);
  assert.deepEqual(final.filter(({ name }) => name === "RUN" || name === "ENV"), []);
  const [user, group] = last("USER").split(":").map(Number);
  assert.ok(user > 0 && group > 0);
  assert.deepEqual(JSON.parse(last("ENTRYPOINT")), ["/refresher"]);
});

test("what the Containerfile copies is enough to compile the refresher, and nothing else is sent to the builder", async () => {
  const copied = instructions.filter(({ name, rest }) => name === "COPY" && !rest.startsWith("--from"));
  const sources = copied.flatMap(({ rest }) => rest.split(" ").slice(0, -1));
  assert.ok(sources.length >= 4);
  const allowed = recipe("container", "Containerfile.dockerignore").split("\n").filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  assert.deepEqual(allowed.sort(), [...sources].sort());
  const folder = join(state.path, "src");
  mkdirSync(folder);
  for (const source of sources) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  const build = last("RUN").match(/cargo build (.*?) &&/)[1].split(" ");
  assert.ok(build.includes("--locked"));
  // The debug profile, whose dependencies the linter has checked already.
  const { code, stderr } = await run("cargo", "cargo", ["check", ...build.filter((word) => word !== "--release")], {
    cwd: folder, env: { CARGO_TARGET_DIR: join(ROOT, "target") }, timeoutMs: 600_000,
  });
  assert.equal(code, 0, stderr);
});

test("the image's own command watches, answers for its health and ends when it is asked to", async () => {
  await assertOptionsExist(CMD);
  assertNoSecretArgument(CMD);
  const env = environment(posthog, { POSTHOG_PERSONAL_API_KEY: posthog.personalKey, FLAGPOST_STORE: `file:${join(state.path, "snapshots")}` });
  await watching(CMD, env, async (url) => {
    for (const path of ["/healthz", "/metrics"]) assert.equal((await fetch(url + path)).status, 200, path);
  });
  assert.ok(existsSync(join(state.path, "snapshots", "flags.snapshot")));
});

test("the compose file takes from the container what it does not need", () => {
  assert.equal(service.read_only, true);
  assert.deepEqual(service.cap_drop, ["ALL"]);
  assert.deepEqual(service.security_opt, ["no-new-privileges:true"]);
  assert.equal(service.user, last("USER"));
  assert.ok(!service.privileged && !service.cap_add && !service.volumes);
  for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:/);
  const { context, dockerfile } = service.build;
  const folder = join(ROOT, "examples", "container", context);
  assert.ok(existsSync(join(folder, dockerfile)));
  assert.equal(join(folder, "."), join(ROOT, "."));
});

test("the compose file's secrets are files, in no variable and no argument", () => {
  for (const { path } of values(service.environment)) if (path[0] !== "POSTHOG_PROJECT_KEY") assert.doesNotMatch(path[0], SECRET_NAME);
  assertNoSecretArgument(service.command);
  assert.deepEqual(Object.keys(compose.secrets).sort(), [...service.secrets].sort());
  for (const name of service.secrets) {
    assert.ok(service.command.some((argument) => argument.endsWith(`-file=/run/secrets/${name}`)), name);
    assert.equal(dirname(compose.secrets[name].file), "./secrets", "a folder that git does not take");
  }
});

test("the compose file's command watches, and README's refreshes once, with keys from files and Workers KV", async (t) => {
  writeSecrets(secrets, posthog);
  const kv = await startKv();
  t.after(() => kv.stop());
  const settings = { POSTHOG_HOST: posthog.url, POSTHOG_PROJECT_KEY: posthog.projectKey, FLAGPOST_STORE: kv.store, CLOUDFLARE_ACCOUNT_ID: "account" };
  const filled = Object.fromEntries(Object.entries(service.environment).map(([name, text]) => [name, text.replace(/\$\{(\w+):[-?][^}]*\}/, (_, variable) => settings[variable])]));
  const env = environment(posthog, filled, { CLOUDFLARE_API_BASE_URL: kv.base });
  const here = (args) => args.map((argument) => argument.replace("/run/secrets", secrets));
  await assertOptionsExist(service.command);
  const log = await watching(here(service.command), env, async () => {});
  assert.ok(!log.includes(posthog.personalKey));

  const [, line] = recipe("container", "README.md").match(/^docker compose run --rm refresher ((?:.*\\\n)*.*)$/m);
  const args = line.replaceAll("\\\n", " ").split(/\s+/);
  await assertOptionsExist(args);
  const { code, stdout, stderr } = await refreshOnce(here(args), env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^unchanged: /m);
});
