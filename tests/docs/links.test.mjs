/** Every link in the repository's Markdown leads somewhere: files, and headings in them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { ROOT } from "../support/worker.mjs";

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: ROOT, encoding: "utf8" }).trim().split("\n");

/** Without code, in which brackets mean something else. */
const proseOf = (text) => text.replace(/^ *```.*?^ *```$/gms, "").replace(/`[^`\n]*`/g, "");

/** Headings as GitHub makes addresses of them. */
const anchorsOf = (path) =>
  readFileSync(path, "utf8").replace(/^ *```.*?^ *```$/gms, "").split("\n")
    .filter((line) => /^#+ /.test(line))
    .map((line) => line.replace(/^#+ /, "").toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"));

function broken(file) {
  const path = join(ROOT, file);
  const links = [...proseOf(readFileSync(path, "utf8")).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  return links.filter((link) => !/^[a-z]+:/.test(link)).filter((link) => {
    const [place, anchor] = link.split("#");
    const target = place === "" ? path : resolve(dirname(path), place);
    if (!existsSync(target) || relative(ROOT, target).startsWith("..")) return true;
    return anchor !== undefined && (!statSync(target).isFile() || !anchorsOf(target).includes(anchor));
  });
}

for (const file of files) test(`${file} links to what is there`, () => assert.deepEqual(broken(file), []));

test("README leads to every page of docs", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const pages = files.filter((file) => /^docs\/[\w-]+\.md$/.test(file));
  assert.ok(pages.length > 5);
  assert.deepEqual(pages.filter((page) => !readme.includes(`(${page})`)), []);
});
