/** What the tests of the examples share: copies of them, a snapshot, and posthog-node's answers. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { installPackage } from "../packaging/project.mjs";
import { FIXTURE_DEFINITIONS, startPostHog } from "../support/posthog.mjs";
import { openReference } from "../support/reference.mjs";
import { refresh, upstreamEnv } from "../support/refresher.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { ROOT } from "../support/worker.mjs";

export const EXAMPLES = join(ROOT, "examples");

/** What is made by building or installing, in whatever example. */
export const MADE = new Set(["node_modules", ".wrangler", ".next", "next-env.d.ts", "tsconfig.tsbuildinfo"]);

/** A copy of an example, with the packed package installed in it. */
export async function copyOf(name, parent) {
  const project = await installPackage(parent);
  cpSync(join(EXAMPLES, name), project.path, { recursive: true, filter: (path) => !MADE.has(basename(path)) });
  return project;
}

/** What `refresher run --store file:FOLDER` writes of the fixtures' definitions, in a folder of that name. */
export async function writeSnapshot(folder) {
  mkdirSync(folder, { recursive: true });
  const posthog = await startPostHog();
  try {
    assert.equal((await refresh(`file:${folder}`, upstreamEnv(posthog))).outcome.status, "updated");
  } finally {
    await posthog.close();
  }
}

/** Serves a folder's snapshot over HTTP as a bucket does, with an entity tag; `requests` are the status codes. */
export async function serveSnapshot(folder) {
  const bytes = readFileSync(join(folder, "flags.snapshot"));
  const requests = [];
  const server = createServer((request, response) => {
    const status = request.url !== "/flags.snapshot" ? 404 : request.headers["if-none-match"] === '"one"' ? 304 : 200;
    requests.push(status);
    response.writeHead(status, { etag: '"one"' }).end(status === 200 ? bytes : undefined);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/flags.snapshot`,
    requests,
    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
}

/** Writes variables for `wrangler dev --env-file`; the file's path. */
export function writeVariables(folder, variables) {
  const path = join(folder, "variables");
  writeFileSync(path, Object.entries(variables).map(([name, value]) => `${name}=${value}\n`).join(""));
  return path;
}

/** posthog-node over the fixtures' definitions. */
export function reference() {
  return openReference({ definitions: readFileSync(FIXTURE_DEFINITIONS, "utf8") });
}

/** `POST /flags` answers as posthog-node does, for every user of the fixtures. */
export async function assertAllFlags(url) {
  const posthog = reference();
  try {
    for (const user of FIXTURE_USERS) {
      const response = await fetch(`${url}/flags`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(user) });
      const body = await response.text();
      assert.equal(response.status, 200, body);
      assert.deepEqual(JSON.parse(body), await posthog.evaluate(user), user.distinctId);
    }
  } finally {
    await posthog.close();
  }
}

/** `GET /prices` answers by posthog-node's values, for users who differ in them. */
export async function assertPrices(url) {
  const seen = new Set();
  const users = [["ada", "enterprise"], ...Array.from({ length: 12 }, (_, index) => [`user-${index}`, "free"])];
  for (const [id, plan] of users) {
    const answer = await (await fetch(`${url}/prices?user=${id}&plan=${plan}`)).json();
    const { page, discount, checkout } = await pricesOf(id, plan);
    assert.deepEqual(answer, { page, discount, checkout }, id);
    seen.add(page).add(checkout).add(discount);
  }
  // Both checkouts, the three pages, a discount and none.
  assert.equal(seen.size, 7, [...seen].join());
}

/** What posthog-node's values come to. */
export async function pricesOf(distinctId, plan) {
  const posthog = reference();
  try {
    const { featureFlags, featureFlagPayloads } = await posthog.evaluate({ distinctId, personProperties: { plan } });
    const page = featureFlags["pricing-experiment"];
    const checkout = featureFlags["checkout-redesign"] ? "/checkout/new" : "/checkout";
    return { page, discount: featureFlagPayloads["pricing-experiment"]?.discount ?? 0, checkout };
  } finally {
    await posthog.close();
  }
}

/** A body that is no user is the caller's mistake. */
export async function assertRefusesNobody(url) {
  for (const body of ["{", "{}"]) {
    const response = await fetch(`${url}/flags`, { method: "POST", headers: { "content-type": "application/json" }, body });
    assert.equal(response.status, 400, body);
    assert.equal(typeof (await response.json()).error, "string");
  }
}
