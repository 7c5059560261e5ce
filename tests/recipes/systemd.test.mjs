/** The units: their command lines run with what systemd would give them, the rest judged by systemd if it is here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { startKv } from "../support/local-kv.mjs";
import { run, start, stopAll } from "../support/processes.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { REFRESHER } from "../support/refresher.mjs";
import { ROOT, temporaryFolder } from "../support/worker.mjs";
import { SECRET_NAME, assertNoSecretArgument, assertOptionsExist, environment, recipe, refreshOnce, watching, writeSecrets } from "./recipes.mjs";
import { parseEnvironment, parseUnit, words } from "./units.mjs";

const FOLDER = join(ROOT, "examples", "systemd");
const unit = (name) => parseUnit(recipe("systemd", name));
const services = readdirSync(FOLDER).filter((name) => name.endsWith(".service"));
const settings = parseEnvironment(recipe("systemd", "refresher.env").split("\n"));
const dropIn = unit("workers-kv.conf").Service;

const state = temporaryFolder("recipes-systemd");
const credentials = join(state.path, "credentials");
const stateDirectory = join(state.path, "state");
let posthog;
before(async () => {
  posthog = await startPostHog();
  mkdirSync(stateDirectory);
  writeSecrets(credentials, posthog);
});
after(async () => {
  await stopAll();
  await posthog?.close();
  state.remove();
});

/** What a service is started with, the settings' example values replaced by those of the stand-in. */
function started(name, more = {}) {
  const { Service } = unit(name);
  assert.deepEqual(Service.EnvironmentFile, ["/etc/flagpost/refresher.env"]);
  const file = { ...settings, POSTHOG_HOST: posthog.url, POSTHOG_PROJECT_KEY: posthog.projectKey };
  file.FLAGPOST_STORE = file.FLAGPOST_STORE.replace(`/var/lib/${Service.StateDirectory}`, stateDirectory);
  const env = { ...file, ...more };
  const [program, ...args] = words(Service.ExecStart[0], { credentials, env });
  assert.equal(program, "/usr/local/bin/refresher");
  return { args, env: environment(posthog, env) };
}

test("there are the two services and the timer, and every setting in them has a section", () => {
  assert.deepEqual(services, ["flagpost-refresh.service", "flagpost-watch.service"]);
  for (const name of services) assert.deepEqual(Object.keys(unit(name)).filter((section) => section !== "Install"), ["Unit", "Service"]);
  assert.deepEqual(Object.keys(unit("flagpost-refresh.timer")), ["Unit", "Timer", "Install"]);
});

for (const name of services) {
  test(`${name} gives keys as credentials, in no argument and no setting`, async () => {
    const { args } = started(name);
    assertNoSecretArgument(args);
    await assertOptionsExist(args);
    for (const setting of Object.keys(settings)) if (setting !== "POSTHOG_PROJECT_KEY") assert.doesNotMatch(setting, SECRET_NAME);
    const { Service } = unit(name);
    const given = Service.LoadCredential.map((line) => line.split(":"));
    assert.deepEqual(given, [["posthog-personal-api-key", "/etc/flagpost/posthog-personal-api-key"]]);
    assert.equal(Service.SetCredential, undefined);
  });

  test(`${name} runs as a user of its own that can write to its own folder alone`, () => {
    const { Service } = unit(name);
    assert.deepEqual([Service.DynamicUser, Service.ProtectSystem, Service.ProtectHome, Service.NoNewPrivileges].flat(), ["yes", "strict", "yes", "yes"]);
    assert.deepEqual(Service.StateDirectory, ["flagpost"]);
    assert.equal(Service.ReadWritePaths, undefined);
    assert.deepEqual(Service.CapabilityBoundingSet, [""]);
  });
}

test("the timed service refreshes once, into its own folder, with the key from its credential", async () => {
  const { Service } = unit("flagpost-refresh.service");
  assert.deepEqual(Service.Type, ["oneshot"]);
  const { args, env } = started("flagpost-refresh.service");
  const first = await refreshOnce(args, env);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^updated: 72 flags/m);
  assert.ok(existsSync(join(stateDirectory, "flags.snapshot")));
  assert.match((await refreshOnce(args, env)).stdout, /^unchanged: /m);
});

test("with the drop-in the timed service writes to Workers KV", async (t) => {
  const kv = await startKv();
  t.after(() => kv.stop());
  const names = dropIn.LoadCredential.map((line) => line.split(":")[0]);
  assert.deepEqual(names, ["cloudflare-api-token"]);
  const more = parseEnvironment(dropIn.Environment.map((line) => line.replaceAll("%d", credentials)));
  const { args, env } = started("flagpost-refresh.service", { ...more, FLAGPOST_STORE: kv.store, CLOUDFLARE_API_BASE_URL: kv.base });
  assert.ok(args.includes(`--cloudflare-api-token-file=${join(credentials, "cloudflare-api-token")}`));
  await assertOptionsExist(args);
  const { code, stdout, stderr } = await refreshOnce(args, env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^updated: 72 flags/m);
});

test("the watching service tells systemd that it is ready, that it is alive, and that it stops", async () => {
  const { Service } = unit("flagpost-watch.service");
  assert.deepEqual(Service.Type, ["notify"]);
  assert.match(Service.WatchdogSec[0], /^\d+(s|min)$/);
  const socket = join(state.path, "notify");
  const deno = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "bin.cjs");
  const receiver = start("deno", process.execPath, [deno, "run", "--unstable-net", "--allow-net", "--allow-read", "--allow-write", join(ROOT, "tests/recipes/notify.mjs"), socket]);
  await receiver.waitFor("listening", (log) => log.includes("listening"));
  const { args, env } = started("flagpost-watch.service");
  // systemd gives the time of WatchdogSec in microseconds; here it is shortened to one second.
  await watching(args, { ...env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: "1000000" }, async (url, daemon) => {
    await receiver.waitFor("READY=1", (log) => /^READY=1$/m.test(log), 10_000);
    await receiver.waitFor("a second WATCHDOG=1", (log) => log.match(/^WATCHDOG=1$/gm)?.length > 1, 10_000);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const asked = posthog.requests.length;
    const [reload] = Service.ExecReload.map((line) => line.replace("$MAINPID", String(daemon.pid)).split(" "));
    assert.equal((await run("kill", reload[0], reload.slice(1))).code, 0);
    await daemon.waitFor("a refresh after the reload", () => posthog.requests.length > asked, 10_000);
  });
  await receiver.waitFor("STOPPING=1", (log) => /^STOPPING=1$/m.test(log), 5000);
  await receiver.stop();
});

test("the watching service is not started anew after wrong settings", async () => {
  const { Service } = unit("flagpost-watch.service");
  assert.deepEqual(Service.Restart, ["always"]);
  const { args, env } = started("flagpost-watch.service", { POSTHOG_PROJECT_KEY: "" });
  const { code } = await refreshOnce(args, env);
  assert.deepEqual(Service.RestartPreventExitStatus, [String(code)]);
});

/** systemd's own judgement is an addition: the machines that test this need not run it. */
const skip = spawnSync("systemd-analyze", ["--version"]).error ? "systemd-analyze is not here" : false;

/** Copies of the units that name a program which is there, because systemd looks for it. */
function copies() {
  const folder = join(state.path, "units");
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(FOLDER).filter((name) => /\.(service|timer)$/.test(name));
  return names.map((name) => {
    writeFileSync(join(folder, name), recipe("systemd", name).replaceAll("/usr/local/bin/refresher", REFRESHER));
    return join(folder, name);
  });
}

test("systemd finds nothing wrong with the units", { skip }, () => {
  const { status, stderr, stdout } = spawnSync("systemd-analyze", ["verify", "--man=no", ...copies()], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.equal(stderr + stdout, "");
});

test("systemd rates the services' exposure as low", { skip }, () => {
  for (const path of copies().filter((name) => name.endsWith(".service"))) {
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", "--threshold=15", path], { encoding: "utf8" });
    assert.equal(status, 0, `${basename(path)}: ${stdout.trimEnd().split("\n").at(-1)}${stderr}`);
  }
});
