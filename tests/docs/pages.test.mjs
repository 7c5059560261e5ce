/** Every page of docs/ is followed to the letter: files written, commands run, output compared. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createProject, packInto } from "../packaging/project.mjs";
import { startRegistry } from "../packaging/registry.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { ROOT } from "../support/worker.mjs";
import { stepsOf } from "./page.mjs";
import { follow } from "./reader.mjs";

/** Pages without a program to type in, and where what they say is tested. */
const ELSEWHERE = {
  "operating.md": "tests/docs/commands.test.mjs",
  "parity.md": "tests/differential",
  "posthog-convex.md": "tests/differential",
  "migrate-from-posthog-convex.md": "tests/e2e",
};

const docs = join(ROOT, "docs");
const pages = ["../js/README.md", ...readdirSync(docs).filter((name) => name.endsWith(".md") && !(name in ELSEWHERE))];
const packed = createProject();
let registry;
let posthog;

before(async () => {
  registry = await startRegistry(await packInto(packed.path));
  posthog = await startPostHog({ projectKey: "phc_your_project_key", personalKey: "phx_your_personal_key" });
});
after(async () => {
  await posthog?.close();
  await registry?.close();
  packed.remove();
});

for (const page of pages) {
  test(`${join("docs", page)} does what it says`, async () => {
    const steps = stepsOf(join(docs, page));
    assert.ok(steps.some(({ output }) => output !== undefined), "the page shows no output");
    registry.asked.length = 0;
    await follow(steps, { registry, posthog });
    assert.ok(registry.asked.some((path) => path.endsWith(".tgz")), "the page never installs the package");
  });
}

test("the npm page has a row for each entry point, with names that it exports", async () => {
  const readme = readFileSync(join(ROOT, "js/README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| `(flagpost[^`]*)` .*`import \{ (.*) \} from "(.*)"` \|$/gm)];
  const { exports } = JSON.parse(readFileSync(join(ROOT, "js/package.json"), "utf8"));
  assert.deepEqual(rows.map(([, entry]) => entry).sort(), Object.keys(exports).filter((path) => path !== "./package.json").map((path) => join("flagpost", path)).sort());
  for (const [, entry, names, from] of rows) {
    assert.equal(from, entry);
    const module = await import(entry);
    for (const name of names.split(", ")) assert.ok(name in module, `${entry} has no ${name}`);
  }
});

test("every page that installs the package says how to get it until it is on npm", () => {
  for (const page of pages) assert.match(readFileSync(join(docs, page), "utf8"), /not on npm yet.*make build/s, page);
});
