/**
 * `make demo`: the whole path on this machine, every part the real one. A stand-in serves PostHog's
 * definitions (or your PostHog does, when POSTHOG_PROJECT_KEY and POSTHOG_PERSONAL_API_KEY are set),
 * the refresher writes snapshots into the local Workers KV and a folder, and the Worker answers.
 */
import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onInterrupt, stopAll } from "../tests/support/processes.mjs";
import { startPostHog } from "../tests/support/posthog.mjs";
import { refresher, upstreamEnv } from "../tests/support/refresher.mjs";
import { ROOT, startWorker, temporaryFolder } from "../tests/support/worker.mjs";
import { painter, table } from "./demo-table.mjs";

const SNAPSHOTS = join(ROOT, ".demo", "snapshots");
const USERS = process.env.FLAGPOST_DEMO_USERS ?? join(ROOT, "tests", "fixtures", "users.json");
const PROJECT_KEY_NAMES = ["POSTHOG_PROJECT_KEY", "POSTHOG_PROJECT_API_KEY", "POSTHOG_PROJECT_TOKEN"];
const PERSONAL_KEY_NAMES = ["POSTHOG_PERSONAL_API_KEY", "POSTHOG_SECRET_KEY"];

const paint = painter(process.stdout);
let steps = 0;

function say(title, ...lines) {
  steps += 1;
  console.log(`${paint("bold", `${steps}. ${title}`)}`);
  for (const line of lines) console.log(`   ${line}`);
}

/** Where definitions come from, and what the refresher needs in its environment to ask there. */
async function chooseUpstream(closers) {
  const given = (names) => names.find((name) => process.env[name]?.trim());
  const [projectKey, personalKey] = [given(PROJECT_KEY_NAMES), given(PERSONAL_KEY_NAMES)];
  if (projectKey && personalKey) {
    return { text: `your PostHog at ${process.env.POSTHOG_HOST || "https://us.i.posthog.com"}, with ${projectKey} and ${personalKey}`, env: {} };
  }
  if (projectKey || personalKey) {
    throw new Error(`${projectKey ?? personalKey} is set, but ${(projectKey ? PERSONAL_KEY_NAMES : PROJECT_KEY_NAMES)[0]} is not: set both to use your PostHog, or neither to use the stand-in`);
  }
  const posthog = await startPostHog();
  closers.push(() => posthog.close());
  return { text: `a stand-in for PostHog at ${posthog.url}, serving tests/fixtures/definitions.json`, env: upstreamEnv(posthog) };
}

/** Runs the refresher once and returns what it said; a refresh that fails ends the demo. */
async function refresh(store, env) {
  const { code, stdout, stderr } = await refresher(["run", "--store", store], env);
  const said = `${stdout}${stderr}`.trim();
  if (code !== 0) throw new Error(`refresher run --store ${store} ended with exit code ${code}:\n${said}`);
  return said.split("\n");
}

async function demo(closers) {
  const users = JSON.parse(readFileSync(USERS, "utf8"));
  const state = temporaryFolder("demo");
  closers.push(() => state.remove());
  rmSync(SNAPSHOTS, { recursive: true, force: true });

  const upstream = await chooseUpstream(closers);
  say("definitions come from", upstream.text);

  const worker = await startWorker({ state: state.path });
  const env = { ...upstream.env, ...worker.refresherEnv, CLOUDFLARE_ACCOUNT_ID: undefined };
  const early = await worker.ask(users[0]);
  say("the worker runs in workerd", `${worker.url}, with an empty local KV; it answers ${early.status}:`, early.body.error);
  say("one refresh into the local KV", `refresher run --store ${worker.store}`, ...(await refresh(worker.store, env)));
  say("the same again: nothing changed, so nothing is written", ...(await refresh(worker.store, env)));
  const folder = relative(ROOT, SNAPSHOTS);
  say("one refresh into a folder", `refresher run --store file:${folder}`, ...(await refresh(`file:${folder}`, env)));

  const columns = [];
  let snapshot;
  for (const user of users) {
    const { status, body } = await askUntilRead(worker, user);
    if (status !== 200) throw new Error(`the worker answered ${status} about ${user.distinctId}: ${JSON.stringify(body).slice(0, 200)}`);
    columns.push({ name: user.distinctId, answers: body });
    snapshot = body.snapshot;
  }
  say(`the worker answers for ${users.length} users`, `from ${snapshot.digest}, checked ${snapshot.ageSeconds} s ago`);
  console.log(`\n${table(columns, paint)}\n`);
  return folder;
}

/** The worker remembers for a few seconds that there was nothing to read. */
async function askUntilRead(worker, user) {
  const deadline = Date.now() + 15_000;
  let answer = await worker.ask(user);
  while (answer.status === 503 && Date.now() < deadline) {
    await sleep(250);
    answer = await worker.ask(user);
  }
  return answer;
}

function farewell(folder) {
  console.log("everything that was started has been stopped. to go on:");
  for (const [command, meaning] of [
    [`target/release/refresher eval ${folder}/flags.snapshot --user '{"distinctId":"ben"}'`, "answers from the snapshot in the folder, without a server"],
    ["target/release/refresher run --help", "stores, environment, exit codes"],
    ["cd examples/cloudflare-worker && npx wrangler dev", "the worker alone"],
    ["make test", "every test"],
  ]) console.log(`  ${command}\n      ${paint("dim", meaning)}`);
  console.log("README.md says how to deploy it.");
}

const closers = [];
let interrupted = false;
async function cleanUp() {
  await stopAll();
  for (const close of closers.splice(0).reverse()) await close();
}
onInterrupt(async (signal) => {
  interrupted = true;
  console.error(`\ndemo: ${signal}, stopping what was started`);
  await cleanUp();
});

// A reader that closes the pipe (`make demo | head`) ends the demo as an interrupt does.
process.stdout.on("error", async () => {
  await cleanUp();
  process.exit(1);
});

try {
  const folder = await demo(closers);
  await cleanUp();
  farewell(folder);
} catch (error) {
  if (!interrupted) console.error(`\ndemo failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
