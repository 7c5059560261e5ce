// Refreshes from inside: every five minutes Deno asks PostHog, and Deno KV keeps the snapshot.
import { denoKvTarget, refresh } from "flagpost/refresh";

/** Where the reader finds the snapshot. */
export const kv = await Deno.openKv();
const target = denoKvTarget(kv);

async function run() {
  const report = await refresh({
    projectKey: Deno.env.get("POSTHOG_PROJECT_KEY") ?? "",
    personalApiKey: Deno.env.get("POSTHOG_PERSONAL_API_KEY") ?? "",
    host: Deno.env.get("POSTHOG_HOST"),
    target,
  });
  console.log(JSON.stringify(report));
}

// The first start has nothing to answer from.
if ((await target.read()) === null) await run();
Deno.cron("refresh flags", "*/5 * * * *", run);
