/** An example's Worker in workerd, with a real local Workers KV: `wrangler dev` as users run it. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { start } from "./processes.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A folder under the system's temporary one, and a function that removes it. */
export function temporaryFolder(name) {
  const path = mkdtempSync(join(tmpdir(), `flagpost-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function wranglerProgram() {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  return join(dirname(manifest), "bin", "wrangler.js");
}

/**
 * Starts the Worker on a free port and waits until it takes requests.
 * @param {{state: string, folder?: string, args?: string[]}} options `state` is a folder: what is in KV survives there between starts;
 *   `folder` is where wrangler.toml is, the repository's by default; `args` are more options of `wrangler dev`
 */
export async function startWorker({ state, folder = ROOT, args: more = [] }) {
  const args = ["dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0", ...more];
  const wrangler = start("wrangler dev", process.execPath, [wranglerProgram(), ...args, "--persist-to", join(state, "kv")], {
    cwd: folder,
    env: {
      CI: "1",
      NO_COLOR: "1",
      FORCE_COLOR: "0",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_REGISTRY_PATH: join(state, "registry"),
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  });
  const url = await wrangler.waitFor("the line that names its address", (log) => log.match(/Ready on (http:\/\/127\.0\.0\.1:\d+)/)?.[1]);
  const kvBase = `${url}/cdn-cgi/explorer/api`;
  const namespaceId = await kvNamespace(kvBase, "FLAGS");
  return {
    url,
    kvBase,
    namespaceId,
    process: wrangler,
    /** What the refresher needs in its environment to write into this KV. */
    refresherEnv: { CLOUDFLARE_API_BASE_URL: kvBase, CLOUDFLARE_API_TOKEN: LOCAL_API_TOKEN },
    store: `kv:${namespaceId}`,
    /** Asks the Worker about a user: all flags, or one. Resolves with status and parsed body. */
    async ask(user, flag) {
      const target = new URL(url);
      if (flag !== undefined) target.searchParams.set("flag", flag);
      const response = await fetch(target, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(user),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      try {
        return { status: response.status, body: JSON.parse(text) };
      } catch {
        throw new Error(`the worker answered ${response.status} and no JSON: ${text.slice(0, 200)}`);
      }
    },
    stop: () => wrangler.stop(),
    /** Ends it at once, as a crash would. */
    kill: () => wrangler.kill(),
  };
}

/** The local KV does not check it; the tests search every output for it. */
export const LOCAL_API_TOKEN = "local_cloudflare_token_never_to_be_printed";

async function kvNamespace(kvBase, binding) {
  const response = await fetch(`${kvBase}/storage/kv/namespaces`, { signal: AbortSignal.timeout(10_000) });
  const { result } = await response.json();
  const found = result.find(({ title }) => title === binding);
  if (!found) throw new Error(`wrangler.toml binds no KV namespace as ${binding}; it has: ${result.map(({ title }) => title).join(", ") || "none"}`);
  return found.id;
}
