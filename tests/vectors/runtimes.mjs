/** The four runtimes in which vectors are answered, and how batches get into them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { program, succeed } from "../packaging/project.mjs";

const here = (name) => fileURLToPath(new URL(`runtimes/${name}`, import.meta.url));
const DENO = ["run", "--no-prompt", "--node-modules-dir=manual"];
const COMPATIBILITY_DATE = "2025-05-01";
const TIMEOUT_MS = 300_000;

/** For each runtime: what it calls itself, and how it is opened. `ask` takes lines and gives lines. */
const RUNTIMES = {
  node: { agent: "Node.js/", open: () => processRuntime("node", process.execPath) },
  deno: { agent: "Deno/", open: () => processRuntime("deno", program("deno"), ...DENO) },
  bun: { agent: "Bun/", open: () => processRuntime("bun", program("bun")) },
  workerd: { agent: "Cloudflare-Workers", open: openWorkerd },
};
export const RUNTIME_NAMES = Object.keys(RUNTIMES);

/**
 * Opens a runtime.
 * @returns {Promise<{ask: (lines: string) => Promise<{runtime: string, replies: any[]}>, close: () => Promise<void>}>}
 */
export async function openRuntime(name) {
  const { ask, close } = await opened(name);
  return { ask: async (lines) => replyOf(name, lines, await ask(lines)), close };
}

async function opened(name) {
  try {
    return await RUNTIMES[name].open();
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(`the runtime is missing, npm ci installs it: ${error.message.split("\n")[0]}`);
  }
}

/**
 * The reply of the runtime `name`, read and checked: it comes from that runtime, and has an answer to
 * every batch and to every expected answer in it.
 */
export function replyOf(name, lines, text) {
  const { agent } = RUNTIMES[name];
  const [head, ...replies] = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  if (!head?.runtime?.startsWith(agent)) throw new Error(`${name} was asked, but ${head?.runtime ?? "nobody"} answered`);
  const sent = lines.split("\n").filter(Boolean).map((line) => expectedIn(JSON.parse(line)));
  if (replies.length !== sent.length) throw new Error(`${name} got ${sent.length} batches and answered ${replies.length}`);
  for (const [index, { run }] of replies.entries()) {
    if (run !== sent[index]) throw new Error(`${name} got ${sent[index]} cases in batch ${index + 1} and answered ${run}`);
  }
  return { runtime: head.runtime, replies };
}

const expectedIn = ({ cases }) => cases.reduce((sum, { expected }) => sum + expected.length, 0);

function processRuntime(name, command, ...args) {
  const ask = (input) => succeed(name, command, [...args, here("process.mjs")], { input, timeoutMs: TIMEOUT_MS, env: { NO_COLOR: "1", TZ: "UTC" } });
  return { ask, close: async () => {} };
}

/** workerd under Miniflare, with the Worker as wrangler bundles it for users. */
async function openWorkerd() {
  const folder = mkdtempSync(join(tmpdir(), "flagpost-vectors-"));
  const built = join(folder, "built");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const config = join(folder, "wrangler.toml");
    writeFileSync(config, `name = "vectors"\nmain = ${JSON.stringify(here("worker.mjs"))}\ncompatibility_date = "${COMPATIBILITY_DATE}"\n`);
    const env = { CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(folder, "logs") };
    await succeed("wrangler", process.execPath, [program("wrangler"), "deploy", "--dry-run", "--config", config, "--outdir", built], { cwd: folder, env });
    const wasm = readdirSync(built).filter((name) => name.endsWith(".wasm"));
    if (wasm.length === 0) throw new Error(`wrangler bundled no WebAssembly: ${readdirSync(built)}`);
    const miniflare = new Miniflare({
      modulesRoot: built,
      modules: [{ type: "ESModule", path: join(built, "worker.js") }, ...wasm.map((name) => ({ type: "CompiledWasm", path: join(built, name) }))],
      compatibilityDate: COMPATIBILITY_DATE,
      host: "127.0.0.1",
      port: 0,
      cf: false,
    });
    await miniflare.ready;
    return {
      async ask(body) {
        const response = await miniflare.dispatchFetch("http://worker/", { method: "POST", body, signal: AbortSignal.timeout(TIMEOUT_MS) });
        if (!response.ok) throw new Error(`workerd answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
        return response.text();
      },
      async close() {
        await miniflare.dispose();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
