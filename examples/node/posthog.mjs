// posthog-node as it is used everywhere; only where its definitions come from is new.
//   node posthog.mjs ada pro
import { fileSource } from "flagpost/node";
import { flagDefinitionCache } from "flagpost/posthog-node";
import { PostHog } from "posthog-node";

const posthog = new PostHog(process.env.POSTHOG_PROJECT_KEY ?? "phc_your_project_key", {
  host: process.env.POSTHOG_HOST,
  flagDefinitionCacheProvider: flagDefinitionCache({ source: fileSource(process.env.SNAPSHOTS ?? "./snapshots") }),
  // No flag is asked of PostHog's server: what cannot be decided here is undefined.
  strictLocalEvaluation: true,
});
if (!(await posthog.waitForLocalEvaluationReady(2000))) console.error("no flags yet: is the refresher running?");

const [distinctId = "ada", plan = "pro"] = process.argv.slice(2);
const user = await posthog.evaluateFlags(distinctId, { personProperties: { plan } });
const page = user.getFlag("pricing-experiment");
const checkout = user.isEnabled("checkout-redesign") ? "/checkout/new" : "/checkout";
console.log(JSON.stringify({ page, checkout }));

// Sends the exposures, too.
await posthog.shutdown();
