/**
 * The last step of action.yml: runs `refresher run` with the action's inputs, and tells GitHub what
 * became of it by outputs, the job's summary and an annotation. Ends with the refresher's exit code.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";

const { env } = process;

/** An input, or undefined when it was left empty. */
const input = (name) => env[`INPUT_${name}`]?.trim() || undefined;

const words = (text) => text?.split(/\s+/) ?? [];

function settings() {
  const given = { FLAGPOST_STORE: input("STORE"), POSTHOG_HOST: input("HOST"), POSTHOG_PROJECT_KEY: input("PROJECT_KEY") };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function options() {
  const force = input("FORCE") ?? "false";
  if (force !== "true" && force !== "false") fail(2, "the input force is neither true nor false");
  return [...words(input("OPTIONS")), ...(force === "true" ? ["--force"] : [])];
}

/** What a workflow command says must be one line. */
const escape = (text) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const annotate = (level, message) => console.log(`::${level} title=Flagpost::${escape(message)}`);

function setOutputs(outputs) {
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${String(value).replace(/[\r\n]+/g, " ")}\n`);
  if (env.GITHUB_OUTPUT) appendFileSync(env.GITHUB_OUTPUT, lines.join(""));
}

function fail(exitCode, message) {
  annotate("error", message);
  setOutputs({ status: "error", digest: "", "exit-code": exitCode });
  process.exit(exitCode);
}

/** Runs the refresher; what it says on stderr goes into the log. Resolves when it ended. */
function refresh() {
  const summary = env.GITHUB_STEP_SUMMARY ? ["--summary", env.GITHUB_STEP_SUMMARY] : [];
  const args = ["run", "--json", "--log-format", "text", ...summary, ...options()];
  const program = join(env.RUNNER_TEMP, "flagpost", "bin", "refresher");
  // Names of flags are other people's text: between these two lines GitHub reads no commands in it.
  const token = randomUUID();
  console.log(`::stop-commands::${token}`);
  const child = spawn(program, args, { env: { ...env, ...settings() }, stdio: ["ignore", "pipe", "inherit"] });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
  return new Promise((resolve) => {
    const end = (result) => {
      console.log(`::${token}::`);
      resolve(result);
    };
    child.once("error", (error) => end({ code: 1, stdout, failure: `the refresher could not be started: ${error.code}` }));
    child.once("close", (code, signal) => end({ code: code ?? 1, stdout, failure: signal && `the refresher was ended by ${signal}` }));
  });
}

/** The report is one line of JSON; an argument that cannot be read leaves none. */
function report(stdout) {
  try {
    return JSON.parse(stdout);
  } catch {
    return null;
  }
}

/** What all stores hold now, or nothing when they differ or one of them is not known. */
function digest(stores) {
  const digests = new Set(stores.map((store) => store.snapshot?.digest ?? ""));
  return digests.size === 1 ? [...digests][0] : "";
}

const { code, stdout, failure } = await refresh();
const said = report(stdout);
if (failure || !said) fail(code || 1, failure ?? `the refresher gave no report (exit code ${code}); its messages are above`);

setOutputs({ status: said.status, digest: digest(said.stores), "exit-code": code });
const line = `${said.status}: ${said.message}`.replace(/\s+/g, " ");
if (code !== 0) annotate("error", line);
else if (said.status === "stale") annotate("warning", line);
else console.log(line);
process.exitCode = code;
