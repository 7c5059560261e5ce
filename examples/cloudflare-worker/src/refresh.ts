/** Refreshes from inside: a Worker of its own with a cron trigger, where no other cron is at hand. */
import { createScheduled } from "flagpost/refresh";

interface Env {
  FLAGS: KVNamespace;
  POSTHOG_PROJECT_KEY: string;
  POSTHOG_PERSONAL_API_KEY: string;
  POSTHOG_HOST?: string;
}

export default createScheduled((env: Env) => ({
  projectKey: env.POSTHOG_PROJECT_KEY,
  personalApiKey: env.POSTHOG_PERSONAL_API_KEY,
  host: env.POSTHOG_HOST,
  target: env.FLAGS,
}));
