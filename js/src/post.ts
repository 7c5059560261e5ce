import { FlagpostError } from "./errors.js";
import { LONGEST_MS } from "./reader/timers.js";

/** What is used of `fetch` to send. The signal is an `AbortSignal`, which not every project has a type for. */
export type PostFetch = (
  url: string,
  init: { method: "POST"; headers: Record<string, string>; body: string; signal: any },
) => Promise<{ status: number; text(): Promise<string> }>;

/** Where to send, and how. */
export interface PostOptions {
  /** The project's public key, `phc_…`. */
  projectKey: string;
  /** PostHog's ingestion host. Default: `https://us.i.posthog.com`. */
  host?: string | undefined;
  /** Makes the requests. Default: the global `fetch`. */
  fetch?: PostFetch | undefined;
}

/** What sends JSON to a path of PostHog's host. */
export interface Post {
  readonly projectKey: string;
  (path: string, body: string, timeoutMs: number): Promise<{ status: number; text: string }>;
}

/** Throws `invalid_options` unless there is a project key and a host. */
export function postTo({ projectKey, host = "https://us.i.posthog.com", fetch: given }: PostOptions): Post {
  if (typeof projectKey !== "string" || projectKey.trim() === "") {
    throw new FlagpostError("invalid_options", 'the projectKey is missing: pass the project\'s public key, "phc_…"');
  }
  const origin = originOf(host);
  const post = async (path: string, body: string, timeoutMs: number): Promise<{ status: number; text: string }> => {
    const request: PostFetch = given ?? fetch;
    const headers = { "content-type": "application/json" };
    const response = await request(origin + path, { method: "POST", headers, body, signal: AbortSignal.timeout(timeoutMs) });
    // Read to the end in any case: a body left open keeps its connection.
    return { status: response.status, text: await response.text() };
  };
  return Object.assign(post, { projectKey: projectKey.trim() });
}

function originOf(host: string): string {
  try {
    const { protocol, origin, pathname } = new URL(host.trim());
    // "localhost:8000" is a URL as well.
    if (/^https?:$/.test(protocol)) return `${origin}${pathname}`.replace(/\/+$/, "");
  } catch {
    // No URL at all.
  }
  throw new FlagpostError("invalid_options", "the host is no https:// or http:// URL: pass https://us.i.posthog.com, or that of your instance");
}

/** Throws `invalid_options` unless a number can be a timeout. */
export function timeoutOf(ms: number): number {
  if (Number.isInteger(ms) && ms >= 1 && ms <= LONGEST_MS) return ms;
  throw new FlagpostError("invalid_options", `timeoutMs is a whole number of milliseconds from 1 to ${LONGEST_MS}`);
}

/** Throws `invalid_options` unless a number is a whole one of so much or more. */
export function atLeast(least: number, name: string, value: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new FlagpostError("invalid_options", `${name} is a whole number, ${least} or more`);
}
