/**
 * A stand-in for PostHog on 127.0.0.1: `GET /flags/definitions` with the checks, the entity tag and
 * the compression of the real one, and faults that can be switched on while it runs. It holds no
 * flag logic. `/flags/` and `/batch/` answer just enough that a posthog-node client stays calm.
 *
 * As a module: `const posthog = await startPostHog({ definitions })`.
 * As a program: `node tests/support/posthog.mjs [--definitions FILE] [--port N]`; a fault is then
 * set with `curl -d '{"status":503}' URL/stand-in/fault` and taken back with `curl -d null …`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

export const FIXTURE_DEFINITIONS = fileURLToPath(new URL("../fixtures/definitions.json", import.meta.url));
export const STAND_IN_PROJECT_KEY = "phc_standin_project_key";
export const STAND_IN_PERSONAL_KEY = "phx_standin_personal_key_never_to_be_printed";

/**
 * What can go wrong, all members optional:
 * - `status`, `body`, `headers`: answer this instead of the definitions
 * - `retryAfter`: value of the Retry-After header
 * - `delayMs`: wait before the answer; `stallMs`: wait in the middle of the body
 * - `cutAfter`: send that many bytes of the announced body, then break the connection
 * - `drop`: break the connection without an answer
 * - `times`: how many requests the fault lasts (default: until it is taken back)
 * @typedef {{status?: number, body?: string, headers?: Record<string, string>, retryAfter?: string | number,
 *   delayMs?: number, stallMs?: number, cutAfter?: number, drop?: boolean, times?: number}} Fault
 */

/**
 * @param {{definitions?: string | Buffer, projectKey?: string, personalKey?: string, port?: number}} options
 *   `definitions` is the body to serve (default: the shipped fixture), byte for byte
 */
export async function startPostHog({
  definitions = readFileSync(FIXTURE_DEFINITIONS),
  projectKey = STAND_IN_PROJECT_KEY,
  personalKey = STAND_IN_PERSONAL_KEY,
  port = 0,
} = {}) {
  let body;
  let etag;
  /** @type {Fault | null} */
  let fault = null;
  /** Every request for definitions, in order: what was asked and what was answered. */
  const requests = [];

  function setDefinitions(next) {
    body = Buffer.from(next);
    etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
  }

  function takeFault() {
    const active = fault;
    if (active?.times !== undefined && --active.times <= 0) fault = null;
    return active;
  }

  async function serveDefinitions(request, response, url) {
    const active = takeFault();
    const entry = { ifNoneMatch: request.headers["if-none-match"] ?? null, status: 0 };
    requests.push(entry);
    if (active?.delayMs) await sleep(active.delayMs);
    if (active?.drop) return request.socket.destroy();

    const headers = { "content-type": "application/json", ...active?.headers };
    if (active?.retryAfter !== undefined) headers["retry-after"] = String(active.retryAfter);
    const answer = (status, content) => {
      entry.status = status;
      send(request, response, status, headers, content, active);
    };
    if (active?.status !== undefined || active?.body !== undefined) {
      return answer(active.status ?? 200, active.body ?? JSON.stringify({ detail: `stand-in fault ${active.status}` }));
    }
    if (request.headers.authorization !== `Bearer ${personalKey}`) {
      return answer(401, '{"type":"authentication_error","code":"authentication_failed","detail":"Personal API key invalid."}');
    }
    if (url.searchParams.get("token") !== projectKey) {
      return answer(401, '{"type":"authentication_error","code":"invalid_token","detail":"Project API key invalid."}');
    }
    if (!url.searchParams.has("send_cohorts")) {
      return answer(400, '{"type":"validation_error","code":"missing_parameter","detail":"The stand-in serves definitions with send_cohorts only."}');
    }
    headers.etag = etag;
    if (entry.ifNoneMatch === etag) return answer(304, "");
    return answer(200, body);
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://stand-in");
    const path = url.pathname.replace(/\/$/, "");
    if (request.method === "GET" && path === "/flags/definitions") return serveDefinitions(request, response, url);
    const sent = await readBody(request);
    const json = { "content-type": "application/json" };
    if (path === "/flags") return send(request, response, 200, json, '{"flags":{},"errorsWhileComputingFlags":false}');
    if (path === "/batch") return send(request, response, 200, json, '{"status":1}');
    if (path === "/stand-in/fault") {
      fault = JSON.parse(sent || "null");
      return send(request, response, 200, json, JSON.stringify({ fault }));
    }
    return send(request, response, 404, json, '{"detail":"Not found."}');
  });

  setDefinitions(definitions);
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    projectKey,
    personalKey,
    requests,
    setDefinitions,
    /** @param {Fault | null} next */
    setFault(next) {
      fault = next && { ...next };
    },
    /** Stops at once, also when clients are still connected. */
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function readBody(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/** Sends `content`, compressed when the client accepts gzip, with the body faults of `active`. */
async function send(request, response, status, headers, content, active) {
  let bytes = Buffer.from(content);
  if (bytes.length > 0 && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) {
    bytes = gzipSync(bytes);
    headers = { ...headers, "content-encoding": "gzip" };
  }
  if (status !== 304) headers = { ...headers, "content-length": bytes.length };
  response.writeHead(status, headers);
  if (active?.cutAfter !== undefined) {
    response.write(bytes.subarray(0, active.cutAfter), () => response.destroy());
    return;
  }
  if (active?.stallMs) {
    const half = bytes.length >> 1;
    response.write(bytes.subarray(0, half));
    await sleep(active.stallMs);
    bytes = bytes.subarray(half);
  }
  response.end(bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { definitions: { type: "string" }, port: { type: "string", default: "8123" } } });
  const posthog = await startPostHog({
    definitions: readFileSync(values.definitions ?? FIXTURE_DEFINITIONS),
    port: Number(values.port),
  });
  console.log(`POSTHOG_HOST=${posthog.url}`);
  console.log(`POSTHOG_PROJECT_KEY=${posthog.projectKey}`);
  console.log("the personal key it accepts is STAND_IN_PERSONAL_KEY in this file; stop it with ctrl-c");
}
