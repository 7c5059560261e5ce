import type { NextRequest } from "next/server";
import { flags } from "../../lib/client";

export const runtime = "edge";

/** Keys, variants and payloads are typed. */
export async function GET({ nextUrl: { searchParams } }: NextRequest): Promise<Response> {
  const distinctId = searchParams.get("user");
  if (!distinctId) return Response.json({ error: "who asks? add ?user=ID" }, { status: 400 });
  const user = await flags.forUser({ distinctId, personProperties: { plan: searchParams.get("plan") ?? undefined } });
  const page = user.getFeatureFlag("pricing-experiment", "control");
  const { discount = 0 } = user.getFeatureFlagPayload("pricing-experiment") ?? {};
  const checkout = user.isEnabled("checkout-redesign") ? "/checkout/new" : "/checkout";
  return Response.json({ page, discount, checkout });
}
