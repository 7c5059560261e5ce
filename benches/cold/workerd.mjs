/** Fresh workerd processes: the first request of each, from its first byte out to its last byte in. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorker } from "../bundle.mjs";
import { FILES } from "../inputs.mjs";
import { startWorkerd, writeConfig } from "../workerd.mjs";

const contender = (name) => JSON.stringify(fileURLToPath(new URL(`../contenders/${name}.mjs`, import.meta.url)));

/** What each Worker does with the response that brings the stored form. */
const SOURCES = {
  flagpost: evaluating("flagpost"),
  "posthog-node": evaluating("posthog-node"),
  "plain JavaScript": evaluating("plain"),
  "JSON.parse": `const first = async (response, user, key) => typeof JSON.parse(await response.text()).flags;
const stored = "definitions";`,
  "reading alone": `const first = async (response) => (await response.arrayBuffer()).byteLength;
const stored = "snapshot";`,
};

function evaluating(module) {
  return `import { all, open, stored } from ${contender(module)};
console.warn = () => {};
const read = { snapshot: async (response) => new Uint8Array(await response.arrayBuffer()), definitions: (response) => response.text() };
const first = async (response, user, key) => all(open(await read[stored](response)), user, key);`;
}

const worker = (source) => `${source}
const files = ${JSON.stringify(FILES)};
export default {
  async fetch(request, env) {
    const { user, key } = await request.json();
    return Response.json({ result: (await first(await env.FILES.fetch("http://files/" + files[stored]), user, key)) ?? null });
  },
};`;

/**
 * Milliseconds of first requests, a fresh process each, the contenders in turn: the definitions are read
 * through a binding, all flags are evaluated, one value is read.
 *
 * @param {string} folder the inputs of one size
 * @returns {Promise<Record<string, {ms: number[]}>>}
 */
export async function coldWorkerd(folder, rounds) {
  const configs = {};
  for (const [index, [name, source]] of Object.entries(SOURCES).entries()) {
    configs[name] = writeConfig(join(folder, `cold-${index}`), await bundleWorker(worker(source)), folder);
  }
  const { users, keys } = JSON.parse(readFileSync(join(folder, FILES.people), "utf8"));
  const results = Object.fromEntries(Object.keys(configs).map((name) => [name, { ms: [] }]));
  // The round before the first one warms the disk's cache, and what asks.
  for (let round = -1; round < rounds; round++) {
    for (const [name, config] of Object.entries(configs)) {
      const ms = await firstRequest(config, JSON.stringify({ user: users[(round + 1) % users.length], key: keys[0] }));
      if (round >= 0) results[name].ms.push(ms);
    }
  }
  return results;
}

async function firstRequest(config, body) {
  const workerd = await startWorkerd(config);
  try {
    const start = performance.now();
    await workerd.ask("/", body);
    return performance.now() - start;
  } finally {
    await workerd.stop();
  }
}
