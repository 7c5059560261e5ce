/** A real local Workers KV with Cloudflare's REST API, for the refresher's tests. */
import { Miniflare } from "miniflare";

const NAMESPACE = "flagpost-test-namespace";

/** Starts it. `environment` is how the tests find it: the API has no account segment. */
export async function startKv() {
  const miniflare = new Miniflare({
    modules: true,
    script: 'export default { fetch: () => new Response("kv only") };',
    compatibilityDate: "2025-09-01",
    kvNamespaces: { FLAGS: NAMESPACE },
    unsafeLocalExplorer: true,
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  const base = new URL("/cdn-cgi/explorer/api", await miniflare.ready).href;
  return {
    environment: { FLAGPOST_TEST_KV_BASE: base, FLAGPOST_TEST_KV_NAMESPACE: NAMESPACE },
    stop: () => miniflare.dispose(),
  };
}
