// Answers from the folder that `refresher run --store file:./snapshots` writes.
import { createServer } from "node:http";
import { createFlags, createReader, FlagpostError } from "flagpost";
import { fileSource } from "flagpost/node";

// A server lives on, so an expired snapshot is read again behind the request that finds it so.
const reader = createReader({ source: fileSource(process.env.SNAPSHOTS ?? "./snapshots"), ttl: 10, waitUntil: () => {} });

/** @type {import("flagpost").Flags<import("./flags.js").Flags>} */
const flags = createFlags({ reader });

/** Keys, variants and payloads are typed. @param {import("flagpost").User} user */
async function prices(user) {
  const asked = await flags.forUser(user);
  const page = asked.getFeatureFlag("pricing-experiment", "control");
  const { discount = 0 } = asked.getFeatureFlagPayload("pricing-experiment") ?? {};
  const checkout = asked.isEnabled("checkout-redesign") ? "/checkout/new" : "/checkout";
  return { page, discount, checkout };
}

/** All flags, for a front end. @param {import("flagpost").User} user */
async function all(user) {
  const asked = await flags.forUser(user);
  return { ...asked.getAllFlagsAndPayloads(), unresolved: asked.unresolved };
}

/** @param {import("node:http").IncomingMessage} request */
async function route(request) {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const distinctId = searchParams.get("user");
  if (pathname === "/prices" && distinctId) {
    return { status: 200, body: await prices({ distinctId, personProperties: { plan: searchParams.get("plan") ?? undefined } }) };
  }
  if (pathname === "/flags" && request.method === "POST") {
    return { status: 200, body: await all(JSON.parse(Buffer.concat(await request.toArray()).toString())) };
  }
  return { status: 404, body: { error: "ask for /prices?user=ID, or POST a user to /flags" } };
}

/** @param {unknown} error */
function failed(error) {
  const asked = error instanceof SyntaxError || (error instanceof FlagpostError && error.code === "invalid_user");
  if (!asked) console.error(error);
  return asked ? { status: 400, body: { error: error.message } } : { status: 500, body: { error: "something went wrong" } };
}

const server = createServer(async (request, response) => {
  const { status, body } = await route(request).catch(failed);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
server.listen(Number(process.env.PORT ?? 3000), () => console.log("listening:", server.address()));
