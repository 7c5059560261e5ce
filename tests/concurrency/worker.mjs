/** A Worker with a reader, in workerd with its clock in our hands, and one beside it that sends it requests. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";

const APP = `
import { createReader, evaluateFlag, FlagpostError } from "./slim.js";

const present = Date.now;
let passed = 0;
Date.now = () => present() + passed;

const readers = {};
function readerFor(name, env) {
  const get = async () => {
    const response = await env.STORE.fetch("http://store/" + name);
    if (response.status === 404) return null;
    if (response.status !== 200) throw new Error("status " + response.status);
    return response.arrayBuffer();
  };
  return (readers[name] ??= createReader({ source: { get }, ttl: 7200, negativeTtl: 3600, timeout: 600, onError() {} }));
}

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    const reader = readerFor(searchParams.get("reader"), env);
    if (pathname === "/pass") {
      passed += searchParams.get("seconds") * 1000;
      return new Response();
    }
    if (pathname === "/status") return Response.json(reader.status());
    try {
      const definitions = await reader.current(searchParams.has("ctx") ? ctx : undefined);
      const { value } = evaluateFlag(definitions, "flag", { distinctId: "user-1" });
      return new Response("version " + definitions.version + " " + value);
    } catch (error) {
      return new Response(error instanceof FlagpostError ? error.code : String(error), { status: 500 });
    }
  },
};
`;

const DRIVER = `
let aborter;

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const target = "http://app/" + searchParams.get("query");
    if (pathname === "/abandon") {
      aborter = new AbortController();
      const abandoned = env.APP.fetch(target, { signal: aborter.signal }).then(() => "answered", () => "abandoned");
      // The store says when the read has begun.
      await env.STORE.fetch("http://store/begun");
      aborter.abort();
      return Response.json({ [await abandoned]: 1 });
    }
    const tally = {};
    const one = async () => {
      const response = await env.APP.fetch(target);
      const answer = response.status + " " + (await response.text());
      tally[answer] = (tally[answer] ?? 0) + 1;
    };
    await Promise.all(Array.from({ length: Number(searchParams.get("count")) }, one));
    return Response.json(tally);
  },
};
`;

/**
 * Starts both.
 *
 * @param {string} dist The folder of the installed package's scripts
 * @param {(request: {pathname: string}) => Promise<Response>} store Answers the Worker's reads
 */
export async function startWorkers(dist, store) {
  const printed = [];
  const app = {
    name: "app",
    modules: [
      { type: "ESModule", path: "app.js", contents: APP },
      { type: "ESModule", path: "slim.js", contents: readFileSync(join(dist, "workerd-slim.js"), "utf8") },
      { type: "CompiledWasm", path: "evaluator.wasm", contents: readFileSync(join(dist, "evaluator.wasm")) },
    ],
    serviceBindings: { STORE: store },
  };
  const driver = { name: "driver", modules: [{ type: "ESModule", path: "driver.js", contents: DRIVER }], serviceBindings: { APP: "app", STORE: store } };
  const compatibilityDate = "2025-05-01";
  const miniflare = new Miniflare({
    workers: [driver, app].map((worker) => ({ ...worker, compatibilityDate })),
    host: "127.0.0.1",
    port: 0,
    cf: false,
    handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.on("data", (chunk) => printed.push(chunk.toString()))),
  });
  await miniflare.ready;
  const fetch = async (path) => (await miniflare.dispatchFetch(`http://driver${path}`)).json();
  const direct = await miniflare.getWorker("app");
  return {
    /** Sends so many requests at once; how often which answer came. */
    wave: (count, query) => fetch(`/wave?count=${count}&query=${encodeURIComponent(query)}`),
    /** Sends one request, and cancels it when the store has been asked. */
    abandon: (query) => fetch(`/abandon?query=${encodeURIComponent(query)}`),
    pass: (seconds) => direct.fetch(`http://app/pass?reader=any&seconds=${seconds}`),
    status: async (reader) => (await direct.fetch(`http://app/status?reader=${reader}`)).json(),
    /** What workerd has complained of. */
    printed: () => printed.join(""),
    stop: () => miniflare.dispose(),
  };
}
