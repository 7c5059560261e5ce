/** The policy table, a PostHog that answers as its rows say, and a look into what is stored then. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

export const TABLE = JSON.parse(readFileSync(new URL("answers.json", import.meta.url), "utf8"));
export const GATE = JSON.parse(readFileSync(new URL("gate.json", import.meta.url), "utf8"));

export const KEYS = { projectKey: "phc_public-project-key", personalApiKey: "phx_personalSecretKey0123456789" };
export const CLEARED = '{"flags":[],"group_type_mapping":{},"cohorts":{}}';

/** Definitions with so many flags, all for everybody. */
export function definitions(flags) {
  const flag = (id) => ({ id, key: `flag-${id}`, name: `Flag ${id}`, active: true, filters: { groups: [{ properties: [], rollout_percentage: 100 }] } });
  return JSON.stringify({ flags: Array.from({ length: flags }, (_, id) => flag(id)), group_type_mapping: {}, cohorts: {} });
}

/** The body of a row's answer. */
export function bodyOf({ body = "" }) {
  if (typeof body === "string") return body;
  if (body.blanks !== undefined) return JSON.stringify({ flags: [], x: " ".repeat(body.blanks) });
  return definitions(body.definitions).slice(0, body.first);
}

/** What a row ends in, with what is stored before it and under a policy. */
export function expected({ status, reason, unless = [] }, before, like) {
  const fits = (names, name) => names === undefined || names.includes(name);
  const found = unless.find((it) => fits(it.before, before) && fits(it.like, like));
  if (found) return { after: "same", ...found };
  return { status, reason, after: ["updated", "empty"].includes(status) ? "new" : "same" };
}

/** Definitions and header of a snapshot's bytes, by its frame in engine/src/snapshot.rs. */
export function opened(content) {
  const bytes = Buffer.from(content);
  const sections = new Map();
  for (let at = 12, left = bytes.readUInt32LE(8); left > 0; left--, at += 16) {
    const start = bytes.readUInt32LE(at + 8);
    sections.set(bytes.toString("latin1", at, at + 4), bytes.subarray(start, start + bytes.readUInt32LE(at + 12)));
  }
  return { sections, header: JSON.parse(sections.get("HEAD")), definitions: sections.get("DEFS").toString() };
}

/**
 * A PostHog of many addresses, each of which answers as it was told to.
 * @returns `at(answer)` gives an address, and what was asked there: `If-None-Match` of every request;
 *   `tell(host, answer)` has that address answer something else
 */
export async function startStage() {
  const told = [];
  const server = createServer(async (request, response) => {
    const { answer, conditions } = told[Number(request.url.split("/")[1])];
    conditions.push(request.headers["if-none-match"] ?? null);
    const { authorization } = request.headers;
    if (request.url.split("/").slice(2).join("/") !== `flags/definitions?token=${KEYS.projectKey}&send_cohorts` || authorization !== `Bearer ${KEYS.personalApiKey}`) {
      return response.writeHead(599).end(`asked for ${request.url}`);
    }
    await send(answer, response);
  });
  // It knows no certificate: nobody can agree with it on one.
  const tls = createTlsServer({}).on("tlsClientError", () => {});
  for (const each of [server, tls]) await new Promise((resolve) => each.listen(0, "127.0.0.1", resolve));
  return {
    at(answer) {
      const conditions = [];
      if (answer.at === "self-signed") return { host: `https://localhost:${tls.address().port}`, conditions };
      if (answer.at !== undefined) return { host: answer.at, conditions };
      told.push({ answer, conditions });
      return { host: `http://127.0.0.1:${server.address().port}/${told.length - 1}`, conditions };
    },
    tell(host, answer) {
      told[Number(new URL(host).pathname.slice(1))].answer = answer;
    },
    async stop() {
      server.closeAllConnections();
      for (const each of [server, tls]) await new Promise((resolve) => each.close(resolve));
    },
  };
}

async function send(answer, response) {
  const { status, headers = {}, retryAfterDate, packed, flow } = answer;
  if (flow === "hang") return;
  if (flow === "close") return response.socket.destroy();
  const body = packed ? gzipSync(bodyOf(answer)) : Buffer.from(bodyOf(answer));
  if (packed) response.setHeader("Content-Encoding", "gzip");
  if (retryAfterDate !== undefined) response.setHeader("Retry-After", new Date(Date.now() + retryAfterDate * 1000).toUTCString());
  if (status !== 304 && status !== 204) response.setHeader("Content-Length", body.length);
  response.writeHead(status, headers);
  if (flow === "cut") return response.write(body.subarray(0, body.length / 2), () => response.destroy());
  if (flow !== "trickle") return response.end(body);
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await sleep(100);
  }
}
