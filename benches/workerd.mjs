/** workerd itself, without a development server around it: what is timed is the runtime and nothing else. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { program } from "./programs.mjs";

const COMPATIBILITY_DATE = "2025-05-01";
const START_MS = 20_000;

/**
 * Writes a Worker and its configuration.
 *
 * @param {string} folder made here
 * @param {{name: string, contents: Uint8Array}[]} files the script first
 * @param {string} data a folder that the Worker reads through its binding FILES
 * @returns {string} the configuration's path
 */
export function writeConfig(folder, files, data) {
  mkdirSync(folder);
  for (const { name, contents } of files) writeFileSync(join(folder, name), contents);
  const modules = files.map(({ name }) => `(name = ${JSON.stringify(name)}, ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${JSON.stringify(name)})`);
  const config = join(folder, "config.capnp");
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [${modules.join(", ")}],
      compatibilityDate = "${COMPATIBILITY_DATE}",
      bindings = [(name = "FILES", service = "files")],
    )),
    (name = "files", disk = (path = ${JSON.stringify(data)})),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  return config;
}

/**
 * Starts workerd and waits until it listens; no request has reached the Worker by then.
 *
 * @returns {Promise<{ask: (path: string, body?: string) => Promise<string>, stop: () => Promise<void>}>}
 */
export async function startWorkerd(config) {
  const child = spawn(program("workerd"), ["serve", config, "--control-fd=3"], { stdio: ["ignore", "ignore", "pipe", "pipe"], env: { ...process.env, TZ: "UTC" } });
  let errors = "";
  child.stderr.on("data", (data) => (errors = (errors + data).slice(-2000)));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  try {
    const port = await portOf(child, () => errors);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    return { ask: (path, body) => ask(agent, port, path, body), stop: () => (agent.destroy(), stop()) };
  } catch (error) {
    await stop();
    throw error;
  }
}

function portOf(child, errors) {
  return new Promise((resolve, reject) => {
    let events = "";
    const timer = setTimeout(() => reject(new Error(`workerd does not listen after ${START_MS / 1000} s: ${errors()}`)), START_MS);
    child.stdio[3].on("data", (data) => {
      events += data;
      const port = /"event":"listen"[^\n]*"port":(\d+)/.exec(events)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      reject(new Error(`workerd ended with exit code ${code}: ${errors()}`));
    });
  });
}

function ask(agent, port, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, port, host: "127.0.0.1", path, method: body === undefined ? "GET" : "POST" }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => (response.statusCode < 300 ? resolve(text) : reject(new Error(`workerd answered ${response.statusCode}: ${text.slice(0, 300)}`))));
    });
    // After an answer that took long workerd closes the connection, which may be noticed only when it is used again.
    const failed = (error) => (request.reusedSocket && error.code === "ECONNRESET" ? resolve(ask(agent, port, path, body)) : reject(error));
    request.once("error", failed).end(body);
  });
}
