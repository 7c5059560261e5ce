/** A real local Workers KV with Cloudflare's REST API, and no Worker that reads it unless one is given. */
import { Miniflare } from "miniflare";

const NAMESPACE = "flagpost-test-namespace";
const NO_WORKER = { modules: true, script: 'export default { fetch: () => new Response("kv only") };' };

/**
 * Starts it; the binding is called FLAGS.
 * @param {import("miniflare").WorkerOptions} worker Miniflare's options for a Worker beside it
 * @returns `base` is the API's address, which has no account segment, `store` what the refresher calls
 *   the namespace, and `environment` how the Rust tests find both
 */
export async function startKv(worker = NO_WORKER) {
  const miniflare = new Miniflare({
    compatibilityDate: "2025-09-01",
    kvNamespaces: { FLAGS: NAMESPACE },
    unsafeLocalExplorer: true,
    host: "127.0.0.1",
    port: 0,
    cf: false,
    ...worker,
  });
  const base = new URL("/cdn-cgi/explorer/api", await miniflare.ready).href;
  return {
    base,
    namespace: NAMESPACE,
    store: `kv:${NAMESPACE}`,
    environment: { FLAGPOST_TEST_KV_BASE: base, FLAGPOST_TEST_KV_NAMESPACE: NAMESPACE },
    miniflare,
    stop: () => miniflare.dispose(),
  };
}
