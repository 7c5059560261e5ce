import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { program } from "../packaging/project.mjs";
import { run } from "../support/processes.mjs";

test("posthog-node's types take every provider", async () => {
  const file = fileURLToPath(new URL("typed.mts", import.meta.url));
  const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom"];
  const { code, stdout } = await run("tsc", process.execPath, [program("typescript", "tsc"), ...options, file]);
  assert.deepEqual([code, stdout], [0, ""]);
});

test("both entries give these names, to import and to require", async () => {
  const entries = {
    "flagpost/node": ["fileFlagDefinitionCache", "fileSource"],
    "flagpost/posthog-node": ["flagDefinitionCache", "ioredisStore", "redisStore", "sharedFlagDefinitionCache"],
  };
  const require = createRequire(import.meta.url);
  for (const [entry, names] of Object.entries(entries)) {
    for (const module of [await import(entry), require(entry)]) assert.deepEqual(Object.keys(module).sort(), names);
  }
});
