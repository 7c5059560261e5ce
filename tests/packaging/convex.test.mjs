/** The example's Convex project with the packed package: bundled by Convex's bundler, run by convex-test. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { convexTest } from "convex-test";
import { makeFunctionReference } from "convex/server";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { bundleConvex, importConvex } from "../support/convex-bundler.mjs";
import { openReference } from "../support/reference.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";
import { ROOT } from "../support/worker.mjs";
import { installPackage, program, succeed } from "./project.mjs";

const definitions = readFileSync(new URL("../fixtures/definitions.json", import.meta.url), "utf8");
const header = { format: 1, digest: "sha256:", fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T10:00:00Z", generator: "test" };
let project;
let bundled;
before(async () => {
  project = await installPackage();
  cpSync(join(ROOT, "examples", "convex", "convex"), join(project.path, "convex"), { recursive: true });
  cpSync(join(ROOT, "examples", "convex", "tsconfig.json"), join(project.path, "tsconfig.json"));
  const convex = dirname(createRequire(import.meta.url).resolve("convex/package.json"));
  symlinkSync(convex, join(project.path, "node_modules", "convex"));
  bundled = await bundleConvex(join(project.path, "convex"));
});
after(() => project?.remove());

const textOf = (scripts) => Object.values(scripts).join("\n");
const moduleOf = (name) => readFileSync(join(project.path, "node_modules", "flagpost", "dist", `${name}.wasm`), "base64");
const countOf = (scripts, text) => textOf(scripts).split(text).length - 1;

test("functions carry one evaluator, no compiler, and no module of Node's", () => {
  for (const [where, scripts] of [["isolate", bundled.isolate], ["node", bundled.node]]) {
    assert.deepEqual([countOf(scripts, moduleOf("evaluator")), countOf(scripts, moduleOf("compiler"))], [1, 0], where);
    const imported = textOf(scripts).match(/^(?:import|export)\b.*["'](?:node:|flagpost)|\brequire\(["'].*/gm);
    assert.equal(imported, null, where);
  }
});

test("the schema, which Convex looks at by itself, carries none of it", () => {
  const text = textOf(bundled.schema);
  assert.match(text, /flagpostItems/);
  for (const word of ["AGFzbQ", "WebAssembly", "incomplete", "damaged_snapshot"]) assert.ok(!text.includes(word), word);
});

test("the bundled functions answer as posthog-node does", async () => {
  const { schema, modules } = await importConvex(bundled, join(project.path));
  const files = Object.entries({ "_generated/api": {}, ...modules }).map(([name, module]) => [`./${name}.js`, async () => module]);
  const convex = convexTest({ schema, modules: Object.fromEntries(files), transactionLimits: true });
  const bytes = compiledSnapshot(header, JSON.parse(definitions));
  await convex.mutation(makeFunctionReference("flagpost:setFlagDefinitions"), { snapshot: bytes.buffer });
  const reference = openReference({ definitions });
  try {
    for (const user of FIXTURE_USERS) {
      const { featureFlags, unresolved } = await reference.evaluate(user);
      for (const key of ["checkout-redesign", "pricing-experiment", "vip-support", "signup-flow-test"]) {
        const { value, reason } = await convex.query(makeFunctionReference("flags:explain"), { key, user: JSON.stringify(user) });
        assert.deepEqual([value, reason], [featureFlags[key], unresolved[key] ?? null], `${key} for ${user.distinctId}`);
      }
    }
    const { featureFlags } = await reference.evaluate({ distinctId: "u" });
    const features = await convex.action(makeFunctionReference("reports:features"), { distinctId: "u" });
    assert.deepEqual(features.map(({ key }) => key).sort(), Object.keys(featureFlags).filter((key) => featureFlags[key] !== false).sort());
  } finally {
    await reference.close();
  }
});

const TYPED = `
import { actionGeneric as action, queryGeneric as query } from "convex/server";
import { Flagpost, convexSource, type FlagpostCtx, type UserFlags } from "flagpost/convex";

type Known = { beta: { value: boolean }; theme: { value: "dark" | "light" | false; payload: { hex: string } } };
const flags = new Flagpost<Known>({ identify: async () => null, now: () => new Date(0) });

export const asked = query(async (ctx) => {
  const theme: "dark" | "light" | false | undefined = await flags.getFeatureFlag(ctx, { key: "theme", distinctId: "u" });
  const hex: string | undefined = (await flags.getFeatureFlagPayload(ctx, { key: "theme", distinctId: "u", groups: { company: "acme" } }))?.hex;
  const all: { beta?: boolean } = await flags.getAllFlags(ctx, { flagKeys: ["beta"] });
  // @ts-expect-error there is no such flag
  await flags.isFeatureEnabled(ctx, { key: "betta" });
  // @ts-expect-error nor among these
  await flags.getAllFlags(ctx, { flagKeys: ["themes"] });
  return { theme, hex, all };
});

export const acted = action(async (ctx) => {
  const user: UserFlags<Known> = await flags.forUser(ctx, { distinctId: "u", personProperties: { plan: "pro" } });
  const any: FlagpostCtx = ctx;
  return [user.isEnabled("beta"), user.unresolved.theme, convexSource(any).describe, await new Flagpost().getFeatureFlag(ctx, { key: "any" })];
});
`;

test("the example's files, and calls with a flag map, compile against the package's typings", async () => {
  project.write("convex/typed.ts", TYPED);
  assert.equal(await succeed("tsc", process.execPath, [program("typescript", "tsc"), "-p", project.path]), "");
});
