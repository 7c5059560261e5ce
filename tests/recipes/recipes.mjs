/** Reads the recipes under examples/, and runs the command lines they hold. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { run, start } from "../support/processes.mjs";
import { REFRESHER, upstreamEnv } from "../support/refresher.mjs";
import { LOCAL_API_TOKEN, ROOT } from "../support/worker.mjs";

export const recipe = (...path) => readFileSync(join(ROOT, "examples", ...path), "utf8");

/**
 * The one document of a YAML text; what is odd in it is an error.
 * @param {"1.1" | "1.2"} version Kubernetes reads YAML 1.1, in which 0440 is an octal number
 */
export function yaml(text, version = "1.2") {
  const documents = parseAllDocuments(text, { version, strict: true, uniqueKeys: true });
  assert.equal(documents.length, 1, "one document");
  assert.deepEqual([...documents[0].errors, ...documents[0].warnings], []);
  return documents[0].toJS();
}

/** Every value in a document, with the path to it. */
export function* values(node, path = []) {
  if (node === null || typeof node !== "object") yield { path, value: node };
  else for (const [key, child] of Object.entries(node)) yield* values(child, [...path, key]);
}

/** Names under which the refresher knows secrets; none may stand in a setting that others can read. */
export const SECRET_NAME = /personal.?(api.?)?key|secret.?(access.?)?key|session.?token|api.?token|deploy.?key|password/i;
const SECRET_VALUE = /ph[xs]_[A-Za-z0-9]|AKIA|BEGIN .*PRIVATE KEY/;

/** Fails if an argument is, or names, a secret. The options that name a file with one are wanted. */
export function assertNoSecretArgument(args) {
  for (const argument of args) {
    assert.doesNotMatch(argument, SECRET_VALUE);
    if (!/^--[a-z0-9-]+-file(=|$)/.test(argument) && argument.startsWith("-")) assert.doesNotMatch(argument, SECRET_NAME);
  }
}

/** Fails if the refresher's own help does not know the command or one of the options. */
export async function assertOptionsExist([command, ...args]) {
  const { code, stdout, stderr } = await run("refresher", REFRESHER, [command, "--help"]);
  assert.equal(code, 0, `refresher ${command} --help: ${stderr}`);
  const known = new Set(stdout.match(/(?<=^\s*(?:-[a-zA-Z], )?)--[a-z0-9-]+/gm));
  assert.ok(known.size > 10, "the help lists options");
  for (const argument of args.filter((text) => text.startsWith("--"))) {
    assert.ok(known.has(argument.split("=")[0]), `refresher ${command} --help lists ${argument.split("=")[0]}`);
  }
}

/** Writes files that hold the stand-ins' keys, under the names that the recipes give them. */
export function writeSecrets(folder, posthog) {
  mkdirSync(folder, { recursive: true });
  const files = { "posthog-personal-api-key": posthog.personalKey, "cloudflare-api-token": LOCAL_API_TOKEN };
  for (const [name, key] of Object.entries(files)) {
    writeFileSync(join(folder, name), `${key}\n`);
    chmodSync(join(folder, name), 0o400);
  }
  return Object.keys(files);
}

/** Our environment without keys, and then the recipe's. */
export function environment(posthog, ...settings) {
  return { ...upstreamEnv(posthog), POSTHOG_PERSONAL_API_KEY: undefined, ...Object.assign({}, ...settings) };
}

/**
 * Runs a `refresher run` line to its end.
 * @returns {Promise<{code: number | null, stdout: string, stderr: string}>}
 */
export const refreshOnce = (args, env) => run("refresher", REFRESHER, args, { env, cwd: ROOT });

/**
 * Runs a `refresher watch` line with a free port in place of its own, and calls `use` with its address
 * once it says that it is ready. Then asks it to end, which it must do by itself and without a failure.
 */
export async function watching(args, env, use) {
  const line = args.map((argument) => argument.replace(/^((?:--listen=)?(?:0\.0\.0\.0|127\.0\.0\.1)):9464$/, "$1:0"));
  assert.notDeepEqual(line, args, "the line says where to listen");
  const daemon = start("refresher watch", REFRESHER, line, { env, cwd: ROOT });
  try {
    const port = await daemon.waitFor("the line that names its port", (log) => log.match(/listening on http:\/\/[\d.]+:(\d+):/)?.[1], 20_000);
    const url = `http://127.0.0.1:${port}`;
    const ask = async (path) => (await fetch(url + path, { signal: AbortSignal.timeout(2000) }).catch(() => null))?.status;
    await daemon.waitFor("an answer on /readyz", async () => (await ask("/readyz")) === 200, 20_000);
    await use(url, daemon);
    process.kill(daemon.pid, "SIGTERM");
    const ended = await Promise.race([daemon.exit, new Promise((resolve) => setTimeout(resolve, 10_000, "still running after 10 s").unref())]);
    assert.equal(ended, "ended with exit code 0", daemon.log());
  } finally {
    await daemon.kill();
  }
  return daemon.log();
}
