/**
 * A process with a posthog-node that shares a folder with others: polls all the time, and prints the flags that are on,
 * whether it was told to fetch, and what went wrong, as lines of JSON whenever they change.
 *   PERSONAL_KEY=… node client.mjs HOST PROJECT_KEY FOLDER LOCK_SECONDS
 */
import { fileFlagDefinitionCache } from "flagpost/node";
import { PostHog } from "posthog-node";

const [host, projectKey, folder, lockSeconds] = process.argv.slice(2);
const said = {};
function say(name, value) {
  if (said[name] === JSON.stringify(value)) return;
  said[name] = JSON.stringify(value);
  console.log(JSON.stringify({ [name]: value }));
}

const cache = fileFlagDefinitionCache({ folder, projectKey, lockSeconds: Number(lockSeconds), patienceSeconds: 60, onError: ({ message }) => say("error", message) });
const client = new PostHog(projectKey, {
  host,
  personalApiKey: process.env.PERSONAL_KEY,
  featureFlagsPollingInterval: 100,
  flagDefinitionCacheProvider: {
    getFlagDefinitions: () => cache.getFlagDefinitions(),
    async shouldFetchFlagDefinitions() {
      const fetches = await cache.shouldFetchFlagDefinitions();
      say("fetches", fetches);
      return fetches;
    },
    onFlagDefinitionsReceived: (data) => cache.onFlagDefinitionsReceived(data),
    shutdown: () => cache.shutdown(),
  },
});
const timer = setInterval(async () => say("flags", await client.getAllFlags("user", { onlyEvaluateLocally: true })), 50);
process.once("SIGTERM", async () => {
  clearInterval(timer);
  await client.shutdown();
  process.exit(0);
});
