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
  "operating.md": "tests/recipes",
  "parity.md": "tests/differential",
  "posthog-convex.md": "tests/differential",
  "migrate-from-posthog-convex.md": "tests/e2e",
  "convex.md": "tests/e2e",
};

const docs = join(ROOT, "docs");
const pages = readdirSync(docs).filter((name) => name.endsWith(".md") && !(name in ELSEWHERE));
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
  test(`docs/${page} does what it says`, async () => {
    const steps = stepsOf(join(docs, page));
    assert.ok(steps.some(({ output }) => output !== undefined), "the page shows no output");
    registry.asked.length = 0;
    await follow(steps, { registry, posthog });
    assert.ok(registry.asked.some((path) => path.endsWith(".tgz")), "the page never installs the package");
  });
}

test("every page that installs the package says how to get it until it is on npm", () => {
  for (const page of pages) assert.match(readFileSync(join(docs, page), "utf8"), /not on npm yet.*make build/s, page);
});
