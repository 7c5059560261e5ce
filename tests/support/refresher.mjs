/** The refresher's release binary, run as people run it, with every word it prints kept. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./processes.mjs";
import { ROOT } from "./worker.mjs";

export const REFRESHER = join(ROOT, "target", "release", "refresher");

/** Variables that would lead the refresher to somebody's real project or account. */
const FOREIGN = [
  "POSTHOG_HOST", "POSTHOG_PROJECT_KEY", "POSTHOG_PROJECT_API_KEY", "POSTHOG_PROJECT_TOKEN",
  "POSTHOG_PERSONAL_API_KEY", "POSTHOG_SECRET_KEY", "FLAGPOST_STORE",
  "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_BASE_URL",
  "CONVEX_URL", "CONVEX_DEPLOY_KEY", "RUST_LOG",
];
const NO_FOREIGN = Object.fromEntries(FOREIGN.map((name) => [name, undefined]));

/** Everything the refresher printed since this module was loaded. */
export const transcript = [];

/** The environment in which the refresher asks a stand-in for PostHog. */
export function upstreamEnv(posthog) {
  return { ...NO_FOREIGN, POSTHOG_HOST: posthog.url, POSTHOG_PROJECT_KEY: posthog.projectKey, POSTHOG_PERSONAL_API_KEY: posthog.personalKey };
}

/** @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string}>} */
export async function refresher(args, env = NO_FOREIGN) {
  if (!existsSync(REFRESHER)) throw new Error("target/release/refresher is missing: run make build");
  const result = await run("refresher", REFRESHER, args, { cwd: ROOT, env });
  transcript.push(`$ refresher ${args.join(" ")}\n${result.stdout}${result.stderr}`);
  return result;
}

/**
 * One `refresher run --json`, with short pauses before retries.
 * @returns the exit code, and the outcome that was printed as JSON
 */
export async function refresh(store, env, ...more) {
  const { code, stdout, stderr } = await refresher(["run", "--store", store, "--json", "--retries", "1", "--retry-delay", "10ms", ...more], env);
  let outcome;
  try {
    outcome = JSON.parse(stdout);
  } catch {
    throw new Error(`refresher run --json printed no JSON on stdout (exit code ${code}): ${stdout}${stderr}`);
  }
  return { code, outcome, stderr };
}
