/**
 * Starting and stopping programs so that none is left behind. Every program leads a process group
 * of its own, and the whole group is ended: `wrangler dev` starts workerd, which must go with it.
 */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

const running = new Set();

/** The last lines a program printed, both streams together, for messages about its failure. */
function tail(text, lines = 20) {
  return stripVTControlCharacters(text).trimEnd().split("\n").slice(-lines).map((line) => `    | ${line}`).join("\n");
}

/**
 * Starts a program that keeps running.
 * @param {string} name what messages call it
 * @param {{cwd?: string, env?: Record<string, string | undefined>}} options `env` is added to our own
 */
export function start(name, command, args, { cwd, env } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  let ended = null;
  const exit = new Promise((resolve) => {
    const settle = (how) => {
      ended ??= how;
      resolve(ended);
    };
    child.once("error", (error) => settle(`could not be started: ${error.message}`));
    child.once("close", (code, signal) => settle(`ended with ${signal ?? `exit code ${code}`}`));
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += chunk));

  const handle = {
    name,
    pid: child.pid,
    exit,
    log: () => log,
    /** Resolves with the first truthy result of `check`; fails when the program ends or time is up. */
    async waitFor(what, check, timeoutMs = 60_000) {
      const deadline = Date.now() + timeoutMs;
      while (true) {
        const result = await check(log);
        if (result) return result;
        if (ended) throw new Error(`${name} ${ended} before ${what}; its last lines:\n${tail(log)}`);
        if (Date.now() > deadline) throw new Error(`${name}: no ${what} within ${timeoutMs / 1000} s; its last lines:\n${tail(log)}`);
        await sleep(50);
      }
    },
    /** Asks the program to end, and after three seconds insists; nothing of its group stays. */
    async stop() {
      if (!ended) child.kill("SIGTERM");
      await Promise.race([exit, sleep(3000, undefined, { ref: false })]);
      await handle.kill();
    },
    /** Ends the whole group at once, as a crash would. */
    async kill() {
      running.delete(handle);
      endGroup(child.pid);
      await exit;
    },
  };
  running.add(handle);
  exit.then(() => running.delete(handle));
  return handle;
}

function endGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/**
 * Runs a program to its end.
 * @param {{cwd?: string, env?: Record<string, string | undefined>, timeoutMs?: number, input?: string}} options
 *   `env` is added to our own, `input` is what it reads from its standard input
 * @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string}>}
 */
export async function run(name, command, args, { cwd, env, timeoutMs = 60_000, input } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  // A program that ends without reading all of it says so by its exit code.
  child.stdin?.on("error", () => {}).end(input);
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
      child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Ends everything that `start` started and that still runs. */
export async function stopAll() {
  await Promise.all([...running].map((handle) => handle.stop()));
}

/** Runs `cleanUp` once, and then ends the process, when it is interrupted or asked to terminate. */
export function onInterrupt(cleanUp) {
  for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]]) {
    process.once(signal, async () => {
      await cleanUp(signal);
      process.exit(128 + number);
    });
  }
}

// The last resort, when the process ends without having stopped what it started.
process.on("exit", () => {
  for (const handle of running) endGroup(handle.pid);
});
