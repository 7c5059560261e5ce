/**
 * Convex evaluates a function's modules anew for every call. Here each call gets a fresh context of V8 in
 * Node: the bundle runs, decodes and compiles what it brings, reads the stored form and answers for one flag.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { bundleScript } from "../bundle.mjs";
import { FILES } from "../inputs.mjs";

const MODULES = { flagpost: "flagpost", "@posthog/convex": "posthog-convex", "plain JavaScript": "plain" };

/**
 * Milliseconds from a fresh context to the first answer, the contenders in turn.
 *
 * @param {string} folder the inputs of one size
 * @returns {Promise<Record<string, {ms: number[]}>>}
 */
export async function convexStyle(folder, rounds) {
  const scripts = {};
  for (const [name, module] of Object.entries(MODULES)) {
    const path = fileURLToPath(new URL(`../contenders/${module}.mjs`, import.meta.url));
    scripts[name] = new vm.Script(await bundleScript(`import { one, open, stored } from ${JSON.stringify(path)};
globalThis.first = (forms, user, key) => one(open(typeof forms[stored] === "string" ? forms[stored] : new Uint8Array(forms[stored])), user, key);`));
  }
  const { users, keys } = JSON.parse(readFileSync(join(folder, FILES.people), "utf8"));
  const text = (name) => readFileSync(join(folder, name), "utf8");
  const snapshot = new Uint8Array(readFileSync(join(folder, FILES.snapshot)));
  const [definitions, row] = [text(FILES.definitions), text(FILES.row)];
  const results = Object.fromEntries(Object.keys(scripts).map((name) => [name, { ms: [] }]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, script] of Object.entries(scripts)) {
      const ms = await firstAnswer(script, { snapshot: snapshot.slice().buffer, definitions, row }, users[(round + 1) % users.length], keys[(round + 1) % keys.length]);
      if (round >= 0) results[name].ms.push(ms);
    }
  }
  return results;
}

async function firstAnswer(script, forms, user, key) {
  // What Convex's contexts have. It decodes base64 by itself, as fast as Buffer does in Node.
  const context = vm.createContext({ TextEncoder, TextDecoder, crypto, Buffer, console, performance });
  const start = performance.now();
  script.runInContext(context);
  const answer = await context.first(forms, user, key);
  const ms = performance.now() - start;
  if (answer === undefined) throw new Error(`a fresh context gave no answer to ${key}`);
  return ms;
}
