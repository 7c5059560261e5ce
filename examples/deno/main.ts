// Answers from the snapshot at FLAGS_URL (a bucket of S3 or R2, or any web server); without one this process
// refreshes for itself.
import { createFlags, createReader, FlagpostError, type User } from "flagpost";
import type { Flags } from "./flags.d.ts";

const source = Deno.env.get("FLAGS_URL") ?? (await import("./refresh.ts")).kv;

// Deno lives on, so an expired snapshot is read again behind the request that finds it so.
const flags = createFlags<Flags>({ reader: createReader({ source, ttl: 60, waitUntil: () => {} }) });

/** Keys, variants and payloads are typed. */
async function prices(user: User) {
  const asked = await flags.forUser(user);
  const page = asked.getFeatureFlag("pricing-experiment", "control");
  const { discount = 0 } = asked.getFeatureFlagPayload("pricing-experiment") ?? {};
  const checkout = asked.isEnabled("checkout-redesign") ? "/checkout/new" : "/checkout";
  return { page, discount, checkout };
}

/** All flags, for a front end. */
async function all(user: User) {
  const asked = await flags.forUser(user);
  return { ...asked.getAllFlagsAndPayloads(), unresolved: asked.unresolved };
}

async function route(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const distinctId = searchParams.get("user");
  if (pathname === "/prices" && distinctId) {
    return Response.json(await prices({ distinctId, personProperties: { plan: searchParams.get("plan") ?? undefined } }));
  }
  if (pathname === "/flags" && request.method === "POST") return Response.json(await all(await request.json()));
  return Response.json({ error: "ask for /prices?user=ID, or POST a user to /flags" }, { status: 404 });
}

function failed(error: unknown): Response {
  const asked = error instanceof SyntaxError || (error instanceof FlagpostError && error.code === "invalid_user");
  if (asked) return Response.json({ error: error.message }, { status: 400 });
  console.error(error);
  return Response.json({ error: "something went wrong" }, { status: 500 });
}

Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, (request) => route(request).catch(failed));
