import { FlagpostError } from "flagpost/slim";
import { Hono } from "hono";
import { flagsOf, type FlagsEnv } from "./middleware";

const app = new Hono<FlagsEnv>();

// In an application the session says who asks; here the request does.
app.use("/prices", flagsOf((c) => ({ distinctId: c.req.query("user") ?? "anonymous", personProperties: { plan: c.req.query("plan") } })));
app.use("/flags", flagsOf((c) => c.req.json()));

/** Keys, variants and payloads are typed. */
app.get("/prices", (c) => {
  const { flags } = c.var;
  const page = flags.getFeatureFlag("pricing-experiment", "control");
  const { discount = 0 } = flags.getFeatureFlagPayload("pricing-experiment") ?? {};
  const checkout = flags.isEnabled("checkout-redesign") ? "/checkout/new" : "/checkout";
  return c.json({ page, discount, checkout });
});

/** All flags of the user in the body, for a front end. */
app.post("/flags", (c) => {
  const { flags } = c.var;
  return c.json({ ...flags.getAllFlagsAndPayloads(), unresolved: flags.unresolved });
});

app.onError((error, c) => {
  const asked = error instanceof SyntaxError || (error instanceof FlagpostError && error.code === "invalid_user");
  if (asked) return c.json({ error: error.message }, 400);
  console.error(error);
  return c.json({ error: "something went wrong" }, 500);
});

export default app;
