import { causes } from "../causes.js";
import type { Job } from "./options.js";
import { Fault, type Again } from "./refusal.js";
import { generator } from "./rules.js";
import type { RefreshFetch } from "./types.js";
import { excerpt, sleep } from "./words.js";

/** Most bytes that are read of an error's body. */
const ERROR_BODY = 8192;
const COLD = "required data not found in cache";

/** PostHog's answer: definitions, or that those which the etag names are current. Both may carry an etag. */
export interface Reply {
  readonly definitions: Uint8Array | undefined;
  readonly etag: string | undefined;
  /** When the attempt began, in milliseconds: the definitions are at least as new as this. */
  readonly at: number;
}

/** What asking came to. */
export interface Asked {
  readonly reply: Reply | Fault;
  readonly attempts: number;
}

type Response = Awaited<ReturnType<RefreshFetch>>;

/** Asks for definitions, unless they are still those that `etag` names. Network faults, 429 and 5xx are tried again. */
export async function ask(job: Job, etag: string | undefined): Promise<Asked> {
  const { retries, retryDelayMs, maxRetryDelayMs } = job.patience;
  for (let attempts = 1; ; attempts++) {
    const reply = await attempt(job, etag);
    if (!(reply instanceof Fault)) return { reply, attempts };
    reply.at = job.now();
    const { again } = reply;
    const tooLate = typeof again === "number" && again > maxRetryDelayMs;
    if (again === "no" || tooLate || attempts > retries) return { reply, attempts };
    const doubled = Math.min(retryDelayMs * 2 ** (attempts - 1), maxRetryDelayMs);
    await sleep(typeof again === "number" ? again : doubled * (1 + Math.random()));
  }
}

async function attempt(job: Job, etag: string | undefined): Promise<Reply | Fault> {
  // Workers refuse a fetch that is called as another object's method.
  const { fetch: request, upstream: { host } } = job;
  const at = job.now();
  const headers: Record<string, string> = { authorization: `Bearer ${job.personalApiKey}`, "user-agent": generator() };
  if (etag !== undefined) headers["if-none-match"] = etag;
  const url = `${host}/flags/definitions?token=${encodeURIComponent(job.projectKey)}&send_cohorts`;
  const signal = AbortSignal.timeout(job.patience.timeoutMs);
  let phase = "while waiting for the answer";
  let broke = "the request failed";
  try {
    // Followed, a redirect would carry the key elsewhere.
    const response = await request(url, { headers, redirect: "manual", signal });
    phase = "while the answer was coming";
    broke = "the answer was cut short";
    const { status } = response;
    const given = response.headers.get("etag") ?? undefined;
    if (status === 304 && etag !== undefined) return { definitions: undefined, etag: given, at };
    if (status !== 200) return await meaning(job, response);
    const definitions = await bodyOf(response, job.patience.maxSize);
    if (definitions !== undefined) return { definitions, etag: given, at };
    const limit = `${Math.floor(job.patience.maxSize / (1 << 20))} MiB`;
    return new Fault("too-large", `posthog's answer is larger than ${limit}: raise patience.maxSize if that is right`);
  } catch (error) {
    const what = signal.aborted ? `timed out ${phase}` : `${broke}: ${hidden(causes(error).replaceAll(url, host), job)}`;
    return new Fault("fetch-failed", `no answer from ${host}: ${what}`, "soon");
  }
}

/** What a status other than 200 means. */
async function meaning(job: Job, response: Response): Promise<Fault> {
  const { status } = response;
  if ([301, 302, 303, 307, 308].includes(status)) {
    await discard(response);
    const to = targetOf(response.headers.get("location"), job.upstream.host);
    const why = "it is not followed, since that would send the key there; set the host to it if it is right";
    return new Fault("unexpected-status", `posthog answered ${status}, a redirect to ${to}: ${why}`);
  }
  const after = retryAfter(response.headers.get("retry-after"), job.now());
  const body = await errorBodyOf(response);
  const said = excerpt(hidden(body, job));
  const answered = `posthog answered ${status}`;
  const again: Again = after ?? "soon";
  switch (status) {
    case 401:
      return new Fault("auth", `${answered}${said}: check that the personal or secret API key is right and belongs to this host's region`);
    case 402:
      return new Fault("quota", `${answered}${said}: the feature flag quota is used up, see the project's billing limits`);
    case 403:
      return new Fault(
        "auth",
        `${answered}${said}: give the key the scope feature_flag:read, and check that it may read the project that the project key names`,
      );
    case 404:
      return new Fault(
        "unexpected-status",
        `${answered}${said}: check the host, https://us.i.posthog.com or https://eu.i.posthog.com unless self-hosted`,
      );
    case 429: {
      const wait = after === undefined ? "" : `, retry after ${Math.floor(after / 1000)} s`;
      return new Fault("rate-limited", `${answered}, too many requests${wait}${said}`, again);
    }
  }
  if (status === 503 && body.toLowerCase().includes(COLD)) {
    return new Fault("cold-cache", `${answered}, required data not found in cache: its cache is warming up, or the project has no flags yet`, again);
  }
  return new Fault("unexpected-status", `${answered}${said}`, status >= 500 && status <= 599 ? again : "no");
}

/** A body after content decoding, up to a limit; undefined beyond it. */
async function bodyOf(response: Response, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(response)) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** What an error's body says, as far as it can be had. */
async function errorBodyOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    let length = 0;
    for await (const chunk of chunksOf(response)) {
      text += decoder.decode(chunk, { stream: true });
      length += chunk.length;
      if (length > ERROR_BODY) break;
    }
  } catch {
    // The status says enough.
  }
  return text + decoder.decode();
}

/** The parts of a body as they come. What is left of it when nobody wants more is not received. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const { body } = response as { body?: { getReader?(): Reader } | null };
  if (typeof body?.getReader !== "function") {
    yield new Uint8Array(await response.arrayBuffer());
    return;
  }
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value as Uint8Array;
  } finally {
    // Of a body that broke off there is nothing to cancel.
    await reader.cancel().catch(() => {});
  }
}

interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array }>;
  cancel(): Promise<void>;
}

/** Workers warn of bodies that nobody reads. */
async function discard(response: Response): Promise<void> {
  const { body } = response as { body?: { cancel?(): Promise<void> } | null };
  await body?.cancel?.().catch(() => {});
}

/** How long the server asks to wait, in milliseconds: it says seconds or a date. */
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Where a redirect points, without path and query. */
function targetOf(location: string | null, host: string): string {
  if (location === null) return "nowhere";
  try {
    return new URL(location, host).origin;
  } catch {
    return "an address that is none";
  }
}

/** A text from outside with the secret taken out of it, should a server have echoed it. */
function hidden(text: string, job: Job): string {
  return text.replaceAll(job.personalApiKey, "[hidden]");
}
