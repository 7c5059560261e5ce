/** What the recipes' READMEs name is there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../support/worker.mjs";
import { recipe } from "./recipes.mjs";

for (const name of ["container", "github-actions", "kubernetes", "systemd"]) {
  test(`the README of ${name} names every file of its folder, and no path that is not there`, () => {
    const text = recipe(name, "README.md");
    const files = readdirSync(join(ROOT, "examples", name)).filter((file) => !/^\.|^README\.md$|dockerignore$/.test(file));
    const mentioned = (file) => text.includes(file) || (/^flagpost-/.test(file) && text.includes(`flagpost-*.${file.split(".").at(-1)}`));
    assert.deepEqual(files.filter((file) => !mentioned(file)), []);
    for (const [path] of text.matchAll(/examples\/[\w./*-]+\w/g)) {
      const [folder] = path.split("*");
      assert.ok(existsSync(join(ROOT, path.includes("*") ? folder.slice(0, folder.lastIndexOf("/")) : path)), path);
    }
  });
}
