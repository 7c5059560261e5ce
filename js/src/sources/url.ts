import { causes, onOneLine } from "../causes.js";
import { FlagpostError } from "../errors.js";
import { timeoutOf } from "../post.js";
import { resultOf, type Source, type SourceResult } from "../source.js";

/** Options of `urlSource`. */
export interface UrlSourceOptions {
  /** Sent with every request, for authorization say; a function is asked before each, for tokens that expire. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>) | undefined;
  /** Milliseconds until a request is given up. Default: 10,000. */
  timeoutMs?: number | undefined;
  /**
   * Makes the requests. Default: the global `fetch`. A private S3 or R2 bucket is read with one that signs them:
   * with aws4fetch, `(url, init) => client.fetch(url, init)`.
   */
  fetch?: Fetch | undefined;
}

/** What is used of `fetch`. The signal is an `AbortSignal`, which not every project has a type for. */
export type Fetch = (
  url: string,
  init: { headers: Record<string, string>; signal: any },
) => Promise<{
  status: number;
  headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
  body?: { cancel?(): Promise<void> } | null;
}>;

/** Reads a snapshot over HTTP; with an `ETag`, an unchanged one is not sent again. */
export function urlSource(url: string | { readonly href: string }, options: UrlSourceOptions = {}): Source {
  const timeoutMs = timeoutOf(options.timeoutMs ?? 10_000);
  const address = parse(url);
  // A query may hold a signature: it does not belong in a message.
  const describe = `${address.protocol}//${address.host}${address.pathname}`;

  async function read(previous: { version: string } | undefined, headers: Record<string, string>): Promise<SourceResult> {
    const request: Fetch = options.fetch ?? fetch;
    const tag = previous && etagOf(previous.version);
    const response = await request(address.href, {
      headers: tag === undefined ? headers : { ...headers, "if-none-match": tag },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status } = response;
    if (status !== 200) {
      // A body left open keeps its connection.
      response.body?.cancel?.().catch(() => {});
      if (status === 304) return "unchanged";
      if (status === 404) return null;
      throw new Error(`it answered with status ${status}`);
    }
    const buffer = await response.arrayBuffer();
    const etag = response.headers.get("etag");
    return etag === null ? resultOf(buffer, previous) : { bytes: buffer, version: ETAG + etag };
  }

  return {
    describe,
    async read(previous) {
      let headers: Record<string, string> = {};
      try {
        headers = (typeof options.headers === "function" ? await options.headers() : options.headers) ?? {};
        return await read(previous, headers);
      } catch (error) {
        let why = causes(error).replaceAll(address.href, describe);
        // What refuses a header quotes its value.
        for (const value of Object.values(headers)) why = without(why, onOneLine(String(value)));
        throw new FlagpostError("source_failed", `${describe} cannot be read: ${why}`);
      }
    },
  };
}

/** What is shorter is no secret, and stands in many a word. */
const SHORTEST_SECRET = 4;

function without(text: string, secret: string): string {
  return secret.length < SHORTEST_SECRET ? text : text.replaceAll(secret, "…");
}

function parse(url: string | { readonly href: string }): URL {
  let address: URL | undefined;
  try {
    address = new URL(typeof url === "string" ? url : url.href);
  } catch {
    throw new FlagpostError("invalid_options", "the source is no absolute URL: pass https://host/path");
  }
  if (address.username !== "" || address.password !== "") {
    throw new FlagpostError("invalid_options", "the source URL holds a password: pass it in headers instead");
  }
  return address;
}

/** Marks a version that is the server's, not one that the bytes were given here. */
const ETAG = "etag ";

function etagOf(version: string): string | undefined {
  return version.startsWith(ETAG) ? version.slice(ETAG.length) : undefined;
}
