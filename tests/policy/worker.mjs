/** A Worker whose cron trigger is flagpost/refresh, in workerd, with a real KV namespace and R2 bucket. */
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { KEYS } from "./table.mjs";

const dist = fileURLToPath(new URL("../../js/dist/", import.meta.url));

/** What is to be done comes with each run's `env`: the settings lie in KV. */
const WORKER = `
import { createScheduled, kvTarget } from "./workerd-refresh.js";

let lines = [];
export default {
  async fetch() {
    return Response.json(lines.splice(0));
  },
  ...createScheduled(async (env) => {
    const { store, passesFetch, ...settings } = await env.SETTINGS.get("settings", "json");
    return {
      ...(passesFetch && { fetch }),
      projectKey: env.POSTHOG_PROJECT_KEY,
      personalApiKey: env.POSTHOG_PERSONAL_API_KEY,
      target: store === "r2" ? env.BUCKET : env.FLAGS,
      ...settings,
      log: (line) => void lines.push(line),
    };
  }),
};
`;

export async function startRefreshingWorker(options = {}) {
  const miniflare = new Miniflare({
    modulesRoot: dist,
    modules: [
      { type: "ESModule", path: `${dist}worker.js`, contents: WORKER },
      { type: "ESModule", path: `${dist}workerd-refresh.js` },
      { type: "CompiledWasm", path: `${dist}compiler.wasm` },
    ],
    compatibilityDate: "2025-05-01",
    kvNamespaces: { FLAGS: "flagpost-test-namespace", SETTINGS: "settings" },
    r2Buckets: ["BUCKET"],
    bindings: { POSTHOG_PROJECT_KEY: KEYS.projectKey, POSTHOG_PERSONAL_API_KEY: KEYS.personalApiKey },
    host: "127.0.0.1",
    port: 0,
    cf: false,
    ...options,
  });
  await miniflare.ready;
  const worker = await miniflare.getWorker();
  const [flags, settings, bucket] = [await miniflare.getKVNamespace("FLAGS"), await miniflare.getKVNamespace("SETTINGS"), await miniflare.getR2Bucket("BUCKET")];
  const bytesOf = async (found) => (found ? Buffer.from(await found.arrayBuffer()) : null);
  return {
    miniflare,
    flags,
    bucket,
    /** Runs the cron trigger once; whether the platform saw it fail, and what was logged. */
    async run(chosen) {
      await settings.put("settings", JSON.stringify(chosen));
      const { outcome } = await worker.scheduled({ cron: "* * * * *" });
      const lines = await (await worker.fetch("http://worker/")).json();
      return { outcome, lines, report: JSON.parse(lines[0]) };
    },
    /** What a store holds: its bytes, or null. */
    async stored(store) {
      if (store === "r2") return bytesOf(await bucket.get("flagpost"));
      const value = await flags.get("flagpost", "arrayBuffer");
      return value && Buffer.from(value);
    },
    async clear() {
      for (const { name } of (await flags.list()).keys) await flags.delete(name);
      await bucket.delete("flagpost");
    },
    stop: () => miniflare.dispose(),
  };
}
