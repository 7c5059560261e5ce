/**
 * What a refresh costs: CPU time (user and system) and peak memory of target/release/refresher.
 *   node benches/refresher.mjs [--runs 15] [--check]
 * Measured by `wait4` on the child, which python3's `resource` gives for a process that has ended; the
 * stand-in for PostHog and the local KV run in processes of their own. `--check` fails beyond the goals.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startKv } from "../tests/support/local-kv.mjs";

const { values } = parseArgs({ options: { runs: { type: "string", default: "15" }, check: { type: "boolean", default: false } } });
const RUNS = Number(values.runs);
const PROGRAM = fileURLToPath(new URL("../target/release/refresher", import.meta.url));
const FIXTURE = JSON.parse(readFileSync(new URL("../tests/fixtures/definitions.json", import.meta.url), "utf8"));
/** Milliseconds of CPU time and megabytes of memory. */
const GOALS = { unchanged: { cpu: 20, memory: 30 }, changed: { cpu: 150, memory: Infinity } };

if (!existsSync(PROGRAM)) throw new Error("target/release/refresher is missing: run make build");

/** Runs a program and prints its CPU time in ms, its peak memory in KB and its exit code. */
const MEASURE = `
import os, resource, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print((usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
`;

/** The fixture's flags again and again under other keys, so many of them; one in fifty as changed so many times. */
function definitions(count, changes) {
  const flags = Array.from({ length: count }, (_, number) => {
    const flag = FIXTURE.flags[number % FIXTURE.flags.length];
    const round = Math.floor(number / FIXTURE.flags.length);
    const changed = number % 50 === 0;
    const filters = changed ? { ...flag.filters, groups: [{ properties: [], rollout_percentage: changes % 100 }] } : flag.filters;
    return { ...flag, id: number + 1, key: round === 0 ? flag.key : `${flag.key}-${round}`, version: 1000 + (changed ? changes : 0), filters };
  });
  return JSON.stringify({ ...FIXTURE, flags });
}

async function measured(store, env) {
  const child = spawn("python3", ["-c", MEASURE, PROGRAM, "run", "--store", store], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [cpu, kilobytes, code] = text.trim().split(" ").map(Number);
  if (code !== 0) throw new Error(`refresher run ended with exit code ${code}`);
  return { cpu, memory: kilobytes / 1024 };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "flagpost-bench-"));
  let body;
  let etag;
  const serve = (next, name) => ([body, etag] = [next, `"${name}"`]);
  const server = createServer((request, response) => {
    const known = request.headers["if-none-match"] === etag;
    response.writeHead(known ? 304 : 200, { etag, "content-type": "application/json" }).end(known ? undefined : body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const kv = await startKv();
  const env = {
    POSTHOG_HOST: `http://127.0.0.1:${server.address().port}`,
    POSTHOG_PROJECT_KEY: "phc_bench",
    POSTHOG_PERSONAL_API_KEY: "phx_bench",
    CLOUDFLARE_API_BASE_URL: kv.environment.FLAGPOST_TEST_KV_BASE,
  };
  const stores = { file: `file:${folder}`, kv: `kv:${kv.environment.FLAGPOST_TEST_KV_NAMESPACE}` };
  let missed = 0;
  const report = (name, results, goal) => {
    const cpu = median(results.map((result) => result.cpu));
    const memory = median(results.map((result) => result.memory));
    const good = cpu < goal.cpu && memory < goal.memory;
    if (!good) missed += 1;
    console.log(`${name.padEnd(34)} ${cpu.toFixed(1).padStart(7)} ms CPU ${memory.toFixed(1).padStart(7)} MB  ${good ? "within" : "BEYOND"} the goal (${goal.cpu} ms${goal.memory === Infinity ? "" : `, ${goal.memory} MB`})`);
  };
  try {
    for (const [kind, store] of Object.entries(stores)) {
      serve(JSON.stringify(FIXTURE), "fixture");
      await measured(store, env);
      const unchanged = [];
      for (let run = 0; run < RUNS; run++) unchanged.push(await measured(store, env));
      report(`unchanged (304), ${kind}`, unchanged, GOALS.unchanged);
      serve(definitions(5000, 1), `${kind}-1`);
      await measured(store, env);
      const changed = [];
      for (let run = 0; run < RUNS; run++) {
        serve(definitions(5000, run + 2), `${kind}-${run + 2}`);
        changed.push(await measured(store, env));
      }
      report(`5,000 flags, 100 changed, ${kind}`, changed, GOALS.changed);
    }
    console.log(`medians of ${RUNS} runs; definitions of 5,000 flags: ${(body.length / 1e6).toFixed(1)} MB of JSON`);
  } finally {
    server.close();
    await kv.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (values.check && missed > 0) process.exit(1);
}

await main();
