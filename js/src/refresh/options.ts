import { digestOf } from "../digest.js";
import { FlagpostError } from "../errors.js";
import { targetOf, type TargetLike } from "./targets/of.js";
import type { RefreshFetch, RefreshPatience, RefreshPolicy, Target } from "./types.js";

/** Options of `refresh`. */
export interface RefreshOptions {
  /** The project's public key, `phc_…`. */
  projectKey: string;
  /** A personal API key with the scope `feature_flag:read`, `phx_…`, or a project's secret key, `phs_…`. */
  personalApiKey: string;
  /** PostHog's address. Default: `https://us.i.posthog.com`; the EU's is `https://eu.i.posthog.com`. */
  host?: string | undefined;
  /** A Workers KV binding, an R2 bucket binding, Deno KV, or a target of your own or from `kvTarget` and the like. */
  target: TargetLike;
  /** What may replace a snapshot: the refresher's rules, with its defaults. */
  policy?: RefreshPolicy | undefined;
  /** How often and how long PostHog is asked. */
  patience?: RefreshPatience | undefined;
  /** Makes the requests. Default: the global `fetch`. */
  fetch?: RefreshFetch | undefined;
  /** The time in milliseconds. Default: `Date.now`. */
  now?: (() => number) | undefined;
}

/** Who gave definitions, so that an etag is only shown to whoever gave it. */
export interface Upstream {
  host: string;
  /** `sha256:` and the first 16 hex digits, of the project key. */
  project: string;
}

/** What is to be done, checked and complete. */
export interface Job {
  readonly projectKey: string;
  readonly personalApiKey: string;
  readonly upstream: Upstream;
  readonly target: Target;
  readonly policy: { [K in keyof RefreshPolicy]-?: NonNullable<RefreshPolicy[K]> };
  readonly patience: { [K in keyof RefreshPatience]-?: NonNullable<RefreshPatience[K]> };
  readonly fetch: RefreshFetch;
  readonly now: () => number;
}

/** Checks options. Throws `FlagpostError` `invalid_options`. */
export async function jobOf(options: RefreshOptions): Promise<Job> {
  const projectKey = keyOf(options.projectKey, "projectKey", "the project's public key (phc_…)");
  const personalApiKey = keyOf(options.personalApiKey, "personalApiKey", "a key with the scope feature_flag:read (phx_… or phs_…)");
  if (/^ph[xs]_/.test(projectKey)) throw invalid("projectKey is a secret key: pass the public one (phc_…)");
  if (personalApiKey.startsWith("phc_")) throw invalid("personalApiKey is a project key (phc_…): pass one that begins with phx_ or phs_");
  if (/[^\x21-\x7e]/.test(personalApiKey)) throw invalid("personalApiKey holds line breaks or characters no key has: copy it again");
  const { policy = {}, patience = {} } = options;
  const host = hostOf(options.host ?? "https://us.i.posthog.com");
  return {
    projectKey,
    personalApiKey,
    upstream: { host, project: (await digestOf(new TextEncoder().encode(projectKey))).slice(0, "sha256:".length + 16) },
    target: targetOf(options.target),
    policy: {
      onQuota: policy.onQuota ?? "keep",
      // Beyond any age: none is cleared.
      clearColdAfter: number(policy.clearColdAfter, "policy.clearColdAfter", Infinity),
      allowEmpty: policy.allowEmpty ?? false,
      maxRemoved: percent(policy.maxRemoved ?? 50),
      force: policy.force ?? false,
      heartbeat: number(policy.heartbeat, "policy.heartbeat", 3600),
    },
    patience: {
      retries: number(patience.retries, "patience.retries", 3),
      retryDelayMs: number(patience.retryDelayMs, "patience.retryDelayMs", 1000),
      maxRetryDelayMs: number(patience.maxRetryDelayMs, "patience.maxRetryDelayMs", 30_000),
      timeoutMs: number(patience.timeoutMs, "patience.timeoutMs", 30_000),
      maxSize: number(patience.maxSize, "patience.maxSize", 16 << 20),
    },
    fetch: options.fetch ?? fetch,
    now: options.now ?? Date.now,
  };
}

function keyOf(key: unknown, name: string, what: string): string {
  const text = typeof key === "string" ? key.trim() : "";
  if (text === "") throw invalid(`${name} is missing: pass ${what} (is the secret set, and read from the request's env?)`);
  return text;
}

function hostOf(text: string): string {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    throw invalid("host is not an address: pass scheme and host, such as https://us.i.posthog.com");
  }
  const { protocol, username, password, search, hash, hostname } = url;
  if (protocol !== "https:" && protocol !== "http:") throw invalid("host is not an http(s) address: pass https://HOST");
  if (username + password !== "") throw invalid("host must not hold a user name or password: pass https://HOST");
  if (search + hash !== "") throw invalid("host must not hold a query or fragment: pass https://HOST");
  if (protocol === "http:" && !isLoopback(hostname)) {
    throw invalid("host is plain http, and a secret would cross the network in clear: use https (http is for this machine only)");
  }
  return url.href.replace(/\/+$/, "");
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d+){3}$/.test(name);
}

function number(given: number | undefined, name: string, otherwise: number): number {
  const value = given ?? otherwise;
  if (!(value >= 0)) throw invalid(`${name} is a number, 0 or more`);
  return value;
}

function percent(value: number): number {
  if (!(value >= 0 && value <= 100)) throw invalid("policy.maxRemoved is a share from 0 to 100 percent");
  return Math.floor(value);
}

function invalid(message: string): FlagpostError {
  return new FlagpostError("invalid_options", message);
}
