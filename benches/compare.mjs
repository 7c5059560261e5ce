/**
 * Flagpost beside posthog-node and @posthog/convex: the same definitions, the same users, one process,
 * the contenders taking turns. Prints medians of the rounds, their spread, and ratios.
 *
 *     node benches/compare.mjs [rounds]
 */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { evaluate, evaluateFlag, load } from "flagpost";
import { PostHog } from "posthog-node";

import { LocalFeatureFlagEvaluator } from "../node_modules/@posthog/convex/dist/client/feature-flags/evaluator.js";
import { crowd } from "../tests/support/users.mjs";

const ROUNDS = Number(process.argv[2] ?? 7);
const TURN_MS = 120;
const ONE_FLAG = "checkout-redesign";

const text = readFileSync(new URL("../tests/fixtures/definitions.json", import.meta.url), "utf8");
const bytes = new TextEncoder().encode(text);
const users = crowd(997);
let turn = 0;
// A fresh object each time, as a request makes one.
const user = () => ({ ...users[turn++ % users.length] });

async function posthogNode() {
  const client = new PostHog("phc_bench", {
    host: "http://127.0.0.1",
    personalApiKey: "phx_bench",
    strictLocalEvaluation: true,
    fetch: async () => new Response(text),
  });
  await client.waitForLocalEvaluationReady(10_000);
  return client;
}

function convex(definitions = JSON.parse(text)) {
  const { flags, group_type_mapping: groupTypeMapping, cohorts, property_matching_version: propertyMatchingVersion } = definitions;
  return new LocalFeatureFlagEvaluator({ flags, groupTypeMapping, cohorts, propertyMatchingVersion });
}

/** The definitions with other white space behind them: bytes that have not been loaded before. */
function unseen() {
  const copy = new Uint8Array(bytes.length + 32).fill(0x20);
  copy.set(bytes);
  for (let bit = 0, number = ++turn; bit < 32; bit++, number >>>= 1) if (number & 1) copy[bytes.length + bit] = 0x0a;
  return copy;
}

console.warn = () => {}; // posthog-node's advice on flags it leaves to the server
const definitions = load(bytes);
const client = await posthogNode();
const evaluator = convex();
const properties = ({ distinctId, personProperties }) => ({ distinct_id: distinctId, ...personProperties });

const cases = {
  "all flags": {
    flagpost: () => evaluate(definitions, user()),
    "posthog-node": () => {
      const { distinctId, groups, personProperties, groupProperties } = user();
      return client.getAllFlagsAndPayloads(distinctId, { groups, personProperties, groupProperties, onlyEvaluateLocally: true });
    },
    "@posthog/convex": () => {
      const asked = user();
      return evaluator.getAllFlagsAndPayloads(asked.distinctId, asked.groups, properties(asked), asked.groupProperties);
    },
  },
  "one flag": {
    flagpost: () => evaluateFlag(definitions, ONE_FLAG, user()),
    "posthog-node": () => {
      const { distinctId, groups, personProperties, groupProperties } = user();
      return client.getAllFlagsAndPayloads(distinctId, { groups, personProperties, groupProperties, onlyEvaluateLocally: true, flagKeys: [ONE_FLAG] });
    },
    "@posthog/convex": () => {
      const asked = user();
      return evaluator.getFeatureFlagResult(ONE_FLAG, asked.distinctId, asked.groups, properties(asked), asked.groupProperties);
    },
  },
  "read definitions, then one flag": {
    flagpost: () => {
      const fresh = load(unseen());
      evaluateFlag(fresh, ONE_FLAG, user());
      fresh.free();
    },
    "@posthog/convex": () => {
      const asked = user();
      return convex().getFeatureFlagResult(ONE_FLAG, asked.distinctId, asked.groups, properties(asked), asked.groupProperties);
    },
  },
};

/** Microseconds per call over one turn. */
async function measure(call) {
  const end = performance.now() + TURN_MS;
  const start = performance.now();
  let calls = 0;
  do {
    for (let batch = 0; batch < 8; batch++) {
      const pending = call();
      if (pending instanceof Promise) await pending;
    }
    calls += 8;
  } while (performance.now() < end);
  return ((performance.now() - start) * 1000) / calls;
}

const sorted = (times) => times.toSorted((left, right) => left - right);
const median = (times) => sorted(times)[times.length >> 1];

console.log(`node ${process.version}, ${definitions.flagKeys.length} flags of tests/fixtures, ${ROUNDS} rounds, contenders in turn\n`);
for (const [name, contenders] of Object.entries(cases)) {
  const times = Object.fromEntries(Object.keys(contenders).map((contender) => [contender, []]));
  for (const call of Object.values(contenders)) await measure(call);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [contender, call] of Object.entries(contenders)) times[contender].push(await measure(call));
  }
  const ours = median(times.flagpost);
  for (const [contender, taken] of Object.entries(times)) {
    const [least, most] = [sorted(taken)[0], sorted(taken).at(-1)];
    const ratio = contender === "flagpost" ? "" : `  ${(median(taken) / ours).toFixed(1)}x`;
    console.log(`${name.padEnd(33)}${contender.padEnd(17)}${median(taken).toFixed(1).padStart(8)} us (${least.toFixed(1)}-${most.toFixed(1)})${ratio}`);
  }
}
await client.shutdown(2000);

console.log("\nWorker script with the package alone, minified: gzip bytes of all bytes");
const entries = {
  flagpost: 'export { createReader, evaluate, evaluateFlag } from "flagpost";',
  "posthog-node": 'export { PostHog } from "posthog-node";',
  "@posthog/convex": 'export { PostHog } from "@posthog/convex";',
};
for (const [name, contents] of Object.entries(entries)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "js" },
    bundle: true,
    minify: true,
    write: false,
    outdir: "out",
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    loader: { ".wasm": "copy" },
    external: ["node:*", "cloudflare:*"],
    logLevel: "error",
  });
  const sum = (size) => outputFiles.reduce((total, file) => total + size(file.contents), 0);
  const gzip = sum((contents) => gzipSync(contents, { level: 9 }).length);
  console.log(`${name.padEnd(17)}${String(gzip).padStart(8)} of ${sum((contents) => contents.length)}  (${outputFiles.map((file) => file.path.split(".").at(-1)).join(" + ")})`);
}
