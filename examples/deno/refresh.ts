// Refreshes from inside: every five minutes Deno asks PostHog, and Deno KV keeps the snapshot.
import { denoKvSource, writeDenoKv } from "flagpost";
import { refresh, type Target } from "flagpost/refresh";

const kv = await Deno.openKv();

/** For the reader. */
export const source = denoKvSource(kv);

const target: Target = {
  describe: source.describe,
  async read() {
    const found = await source.read(undefined);
    return found === "unchanged" ? null : found;
  },
  write: (bytes, expected) => writeDenoKv(kv, bytes, { expected }),
};

async function run() {
  const report = await refresh({
    projectKey: Deno.env.get("POSTHOG_PROJECT_KEY") ?? "",
    personalApiKey: Deno.env.get("POSTHOG_PERSONAL_API_KEY") ?? "",
    host: Deno.env.get("POSTHOG_HOST"),
    target,
  });
  console.log(JSON.stringify(report));
}

if ((await target.read()) === null) await run();
Deno.cron("refresh flags", "*/5 * * * *", run);
