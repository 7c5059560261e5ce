/** What TypeScript says of the providers in a strict project, as ESM and as CJS. */
import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { program, succeed } from "../packaging/project.mjs";
import { temporaryFolder } from "../support/worker.mjs";

/** What both providers have in common; the options differ. */
const source = (sdk, entry, options, wrong) => `
import { OpenFeature, type Provider } from "${sdk}";
import { createFlags } from "flagpost";
import { FlagpostProvider, type FlagpostProviderOptions } from "${entry}";

interface MyFlags {
  "new-checkout": { value: boolean };
  headline: { value: "calm" | "bold" | false; payload: string };
}
const flags = createFlags({ reader: "https://flags.example/snapshot" });
const typed = createFlags<MyFlags>({ reader: "https://flags.example/snapshot" });
const options: FlagpostProviderOptions = ${options};

export async function start(): Promise<void> {
  await OpenFeature.setProviderAndWait(new FlagpostProvider(flags));
  await OpenFeature.setProviderAndWait(new FlagpostProvider(typed, options));
}
export const provider: Provider = new FlagpostProvider(flags, {});
// @ts-expect-error a client is needed
new FlagpostProvider({});
// @ts-expect-error no such option
new FlagpostProvider(flags, ${wrong});
`;

for (const [sdk, entry, options, wrong] of [
  ["@openfeature/server-sdk", "flagpost/openfeature", '{ defaultDistinctId: "a", preload: false, ctx: { waitUntil(work) { work.catch(() => {}); } } }', "{ refreshInterval: 1 }"],
  ["@openfeature/web-sdk", "flagpost/openfeature-web", '{ defaultDistinctId: "a", refreshInterval: 30 }', "{ preload: false }"],
]) {
  test(`${entry} is a provider to the types of ${sdk}`, async () => {
    const { path: project, remove } = temporaryFolder("openfeature");
    try {
      symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(project, "node_modules"));
      const text = source(sdk, entry, options, wrong);
      writeFileSync(join(project, "esm.mts"), text);
      writeFileSync(join(project, "cjs.cts"), text);
      // skipLibCheck: the server SDK's typings need those of Node.
      const compilerOptions = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: "ES2022", types: [], module: "NodeNext", skipLibCheck: true };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts", "*.cts"] }));
      assert.equal(await succeed("tsc", process.execPath, [program("typescript", "tsc"), "-p", project]), "");
    } finally {
      remove();
    }
  });
}
