/** action.yml and the workflow around it, run as GitHub runs them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { startKv } from "../support/local-kv.mjs";
import { run, stopAll } from "../support/processes.mjs";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { REFRESHER } from "../support/refresher.mjs";
import { LOCAL_API_TOKEN, ROOT, temporaryFolder } from "../support/worker.mjs";
import { commands, fillAll, runAction } from "./github.mjs";
import { SECRET_NAME, assertOptionsExist, environment, recipe, values, yaml } from "./recipes.mjs";

const action = yaml(readFileSync(join(ROOT, "action.yml"), "utf8"));
const workflow = yaml(recipe("github-actions", "refresh-flags.yml"));
const [step] = workflow.jobs.refresh.steps;
const definitions = readFileSync(FIXTURE_DEFINITIONS);
const state = temporaryFolder("recipes-github");
let posthog;
let jobs = 0;

before(async () => {
  posthog = await startPostHog();
});
after(async () => {
  await stopAll();
  await posthog?.close();
  state.remove();
});

/** One job with the action alone. The build shares its results with everyone's `cargo build --release`. */
const job = (inputs, env = {}) => runAction(action, {
  path: ROOT, job: join(state.path, `job-${++jobs}`), cache: join(state.path, "cache"), inputs,
  env: { ...environment(posthog), POSTHOG_PERSONAL_API_KEY: posthog.personalKey, CARGO_TARGET_DIR: join(ROOT, "target"), ...env },
});
const newStore = () => `file:${join(state.path, `store-${jobs + 1}`)}`;
const without = (count) => JSON.stringify({ ...JSON.parse(definitions), flags: JSON.parse(definitions).flags.slice(count) });

test("no text of GitHub's becomes part of a script", () => {
  const scripts = [action.runs, workflow.jobs].flatMap((node) => [...values(node)].filter(({ path }) => path.at(-1) === "run"));
  assert.ok(scripts.length >= 3);
  for (const { path, value } of scripts) assert.doesNotMatch(value, /\$\{\{/, path.join("."));
});

test("every action that is used is pinned by a full commit hash", () => {
  const used = [action.runs, workflow.jobs].flatMap((node) => [...values(node)].filter(({ path }) => path.at(-1) === "uses").map(({ value }) => value));
  assert.ok(used.length >= 3);
  // The reader of the workflow puts a hash in; a made-up one would look as if it could be used.
  for (const name of used) assert.match(name, /^(actions\/[a-z/-]+@[0-9a-f]{40}|OWNER\/flagpost@FULL-COMMIT-HASH)$/);
});

test("the workflow asks for no permission, runs one job at a time and ends", () => {
  assert.deepEqual(workflow.permissions, {});
  assert.deepEqual(Object.keys(workflow.jobs).filter((name) => workflow.jobs[name].permissions), []);
  assert.equal(workflow.concurrency["cancel-in-progress"], false);
  assert.ok(workflow.jobs.refresh["timeout-minutes"] <= 30);
  assert.equal(workflow.on.schedule.length, 1);
  assert.equal(workflow.on.workflow_dispatch.inputs.force.type, "boolean");
});

test("secrets are no inputs: GitHub would print them", () => {
  for (const name of Object.keys(action.inputs)) if (name !== "project-key") assert.doesNotMatch(name, SECRET_NAME);
  for (const { value } of values(step.with)) assert.doesNotMatch(String(value), /secrets\./);
  const secrets = [...values(workflow)].filter(({ value }) => /secrets\./.test(String(value)));
  assert.deepEqual(secrets.map(({ path }) => path.slice(0, -1).join(".")), Array(2).fill("jobs.refresh.steps.0.env"));
});

test("the workflow gives only inputs that the action has", () => {
  for (const name of Object.keys(step.with)) assert.ok(action.inputs[name], name);
});

test("the options of the action are options of the refresher", async () => {
  const script = readFileSync(join(ROOT, "scripts/action/refresh.mjs"), "utf8");
  const options = script.match(/"--[a-z-]+"/g).map((text) => JSON.parse(text));
  assert.ok(options.includes("--summary"));
  await assertOptionsExist(["run", ...options, ...action.inputs.options.description.match(/--[a-z-]+/g)]);
});

test("the workflow fills Workers KV: first it builds, then it takes the binary from the cache", async (t) => {
  const kv = await startKv();
  t.after(() => kv.stop());
  const contexts = {
    vars: { POSTHOG_HOST: posthog.url, POSTHOG_PROJECT_KEY: posthog.projectKey, FLAGS_NAMESPACE_ID: kv.namespace },
    secrets: { POSTHOG_PERSONAL_API_KEY: posthog.personalKey, CLOUDFLARE_API_TOKEN: LOCAL_API_TOKEN },
  };
  const env = { ...fillAll(step.env, contexts), POSTHOG_HOST: undefined, POSTHOG_PROJECT_KEY: undefined, CLOUDFLARE_API_BASE_URL: kv.base };
  const first = await job(fillAll(step.with, contexts), env);
  assert.equal(first.code, 0, first.log);
  assert.deepEqual(first.outputs, { status: "updated", digest: `sha256:${createHash("sha256").update(definitions).digest("hex")}`, "exit-code": "0" });
  assert.match(first.log, /^updated: 72 flags/m);
  assert.equal(first.ran.filter((name) => /build\.sh|cache\/save/.test(name)).length, 2);

  const second = await job(fillAll(step.with, contexts), env);
  assert.equal(second.code, 0, second.log);
  assert.deepEqual(second.outputs, { ...first.outputs, status: "unchanged" });
  assert.equal(second.ran.filter((name) => /build\.sh|cache\/save/.test(name)).length, 0);
  for (const { log, summary } of [first, second]) {
    for (const secret of [posthog.personalKey, LOCAL_API_TOKEN]) assert.ok(!(log + summary).includes(secret));
  }
});

test("the summary shows what changed as a table", async () => {
  const store = newStore();
  await job({ store });
  posthog.setDefinitions(without(1));
  const { code, summary, log } = await job({ store });
  posthog.setDefinitions(definitions);
  assert.equal(code, 0, log);
  assert.match(summary, /^\|.*\|\n\|[ :|-]+\|\n/m);
  assert.ok(summary.includes(JSON.parse(definitions).flags[0].key), summary);
});

test("several stores are refreshed in one run, and one digest stands for all that agree", async () => {
  const folders = ["a", "b"].map((name) => join(state.path, `several-${name}`));
  const { code, outputs, log } = await job({ store: folders.map((folder) => `file:${folder}`).join("\n") });
  assert.equal(code, 0, log);
  assert.match(outputs.digest, /^sha256:[0-9a-f]{64}$/);
  for (const folder of folders) assert.ok(existsSync(join(folder, "flags.snapshot")));
});

test("a mass deletion is refused, until somebody forces it", async () => {
  const store = newStore();
  await job({ store });
  posthog.setDefinitions(without(60));
  const refused = await job({ store, options: "--max-removed 20%" });
  assert.notEqual(refused.code, 0);
  assert.equal(refused.outputs.status, "stale");
  const forced = await job({ store, options: "--max-removed 20%", force: "true" });
  posthog.setDefinitions(definitions);
  assert.equal(forced.code, 0, forced.log);
  assert.equal(forced.outputs.status, "updated");
});

test("a failed refresh fails the step with the refresher's exit code, its outputs and one annotation", async () => {
  posthog.setFault({ status: 401 });
  const { code, outputs, log } = await job({ store: newStore() });
  posthog.setFault(null);
  assert.equal(code, 3);
  assert.deepEqual(outputs, { status: "error", digest: "", "exit-code": "3" });
  const [annotation, ...more] = commands(log).filter(({ name }) => name === "error");
  assert.deepEqual(more, []);
  assert.match(annotation.text, /^error: .*401/);
});

test("arguments that the refresher does not know fail with its message", async () => {
  const { code, outputs, log } = await job({ store: newStore(), options: "--no-such-option" });
  assert.equal(code, 2);
  assert.deepEqual(outputs, { status: "error", digest: "", "exit-code": "2" });
  assert.match(log, /--no-such-option/);
});

test("a secret among the options is refused without an echo", async () => {
  const { code, log } = await job({ store: newStore(), options: `--personal-api-key ${posthog.personalKey}` });
  assert.equal(code, 2);
  assert.match(log, /a secret was given as an argument/);
  assert.ok(!log.includes(posthog.personalKey));
});

test("an empty force counts as not given, as in a scheduled run; any other word is refused", async () => {
  assert.equal((await job({ store: newStore(), force: "" })).code, 0);
  const { code, log } = await job({ store: newStore(), force: "yes; touch forced" });
  assert.equal(code, 2);
  assert.match(log, /::error title=Flagpost::the input force is neither true nor false/);
});

test("inputs are never run, whatever they hold", async () => {
  const hostile = '"; touch pwned; $(touch pwned) `touch pwned` * \'';
  for (const name of Object.keys(action.inputs)) {
    const { code } = await job({ store: newStore(), [name]: hostile });
    assert.notEqual(code, 0, name);
    assert.deepEqual(readdirSync(join(state.path, `job-${jobs}`, "workspace")), [], name);
  }
});

test("a flag's name cannot give commands to GitHub", async () => {
  const store = newStore();
  const flag = { ...JSON.parse(definitions).flags[0], key: "a\n::error::forged\n::add-mask::b", name: "\n::warning::forged" };
  posthog.setDefinitions(JSON.stringify({ ...JSON.parse(definitions), flags: [flag] }));
  const { code, log } = await job({ store, options: "-vv" });
  posthog.setDefinitions(definitions);
  assert.equal(code, 0, log);
  assert.deepEqual(commands(log).filter(({ name }) => !/^(group|endgroup)$/.test(name)), []);
});

test("cargo, and with it the build scripts of dependencies, sees no key", async () => {
  const folder = join(state.path, "path");
  mkdirSync(folder);
  const seen = join(folder, "seen");
  const cargo = process.env.PATH.split(delimiter).map((entry) => join(entry, "cargo")).find(existsSync);
  writeFileSync(join(folder, "cargo"), `#!/bin/sh\nenv > '${seen}'\nexec '${cargo}' "$@"\n`, { mode: 0o755 });
  const { stdout: help } = await run("refresher", REFRESHER, ["run", "--help"]);
  const names = [...new Set(help.match(/\b[A-Z][A-Z0-9]*(_[A-Z0-9]+)+\b/g))].filter((name) => SECRET_NAME.test(name) && !/PROJECT/.test(name));
  for (const name of ["POSTHOG_PERSONAL_API_KEY", "CLOUDFLARE_API_TOKEN", "AWS_SECRET_ACCESS_KEY"]) assert.ok(names.includes(name), name);
  const keys = Object.fromEntries(names.map((name) => [name, `${posthog.personalKey}-${name}`]));
  const { ran } = await runAction(action, {
    path: ROOT, job: join(state.path, "job-keys"), cache: join(state.path, "empty-cache"), inputs: { store: newStore() },
    env: { ...environment(posthog), ...keys, CARGO_TARGET_DIR: join(ROOT, "target"), PATH: folder + delimiter + process.env.PATH },
  });
  assert.ok(ran.some((name) => name.includes("build.sh")));
  assert.match(readFileSync(seen, "utf8"), /^CARGO_TARGET_DIR=/m);
  assert.ok(!readFileSync(seen, "utf8").includes(posthog.personalKey));
});

test("the cache's key changes with a source, and with the machine", async () => {
  const copy = join(state.path, "copy");
  for (const name of ["Cargo.toml", "Cargo.lock", "engine", "refresher", "scripts/action"]) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  const key = async (env) => {
    const steps = { ...action, runs: { steps: action.runs.steps.slice(0, 1) }, outputs: { key: { value: "${{ steps.key.outputs.key }}" } } };
    return (await runAction({ ...steps }, { path: copy, job: join(state.path, `job-${++jobs}`), cache: state.path, env })).outputs.key;
  };
  const before = await key();
  assert.match(before, /^flagpost-refresher-Linux-X64-ubuntu24-[0-9a-f]{32}$/);
  assert.equal(await key(), before);
  writeFileSync(join(copy, "refresher/src/main.rs"), "fn main() {}\n");
  assert.notEqual(await key(), before);
});
