/** What holds for every example: short files, typings of its flags as the program writes them, a README, a test. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { program, succeed } from "../packaging/project.mjs";
import { FIXTURE_DEFINITIONS } from "../support/posthog.mjs";
import { ROOT, temporaryFolder } from "../support/worker.mjs";
import { EXAMPLES, MADE } from "./support.mjs";

const LINES = 60;

/** The flags that the examples ask for. */
const KEYS = ["checkout-redesign", "first-order-coupon", "pricing-experiment"];

const names = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
const files = names.flatMap((name) => filesIn(join(EXAMPLES, name)));
const folder = temporaryFolder("examples");
after(folder.remove);

function filesIn(path) {
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !MADE.has(name))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(join(path, entry.name)) : join(path, entry.name)));
}

test("there is an example for every place that Flagpost is made for", () => {
  const places = ["cloudflare-worker", "convex", "deno", "github-actions", "hono", "next-edge", "node"];
  assert.deepEqual(places.filter((place) => !names.includes(place)), []);
});

test(`every source file of an example has less than ${LINES} lines`, () => {
  const sources = files.filter((file) => /\.(?:[cm]?[jt]sx?|yml|toml)$/.test(file));
  assert.ok(sources.length >= 20, `${sources.length} sources`);
  const lengths = sources.map((file) => [file, readFileSync(file, "utf8").trimEnd().split("\n").length]);
  assert.deepEqual(lengths.filter(([, length]) => length >= LINES), []);
});

for (const name of names) {
  test(`the example ${name} has a README and a test`, () => {
    assert.ok(existsSync(join(EXAMPLES, name, "README.md")), "README.md");
    const tests = ["examples", "recipes", "e2e"].map((kind) => join(ROOT, "tests", kind, `${name}.test.mjs`));
    assert.ok(tests.some((path) => existsSync(path) && readFileSync(path, "utf8").includes(name)), `one of ${tests}`);
  });
}

test("the examples' flags.d.ts are what `flagpost types` writes of their flags", async () => {
  const { flags, ...others } = JSON.parse(readFileSync(FIXTURE_DEFINITIONS, "utf8"));
  const snapshot = join(folder.path, "definitions.json");
  writeFileSync(snapshot, JSON.stringify({ ...others, flags: flags.filter(({ key }) => KEYS.includes(key)) }));
  const typings = files.filter((file) => file.endsWith("flags.d.ts"));
  assert.equal(typings.length, 4);
  for (const file of typings) await succeed("flagpost types", process.execPath, [program("flagpost"), "types", snapshot, "--check", file]);
});
