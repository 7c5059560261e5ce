/**
 * The `npm` of a page's commands. `npm install` gets our package from the registry that the test runs, and links the
 * others from the workspace, whose lock file pins them. Everything else is npm's.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageFolder } from "../packaging/project.mjs";

const [command, ...args] = process.argv.slice(2);
const names = command === "install" ? args.filter((arg) => !arg.startsWith("-")) : [];
const others = names.filter((name) => name !== "flagpost");
const own = args.filter((arg) => !others.includes(arg));

if (names.length === 0 || names.includes("flagpost")) {
  const { status } = spawnSync("npm", [command, ...own], { stdio: "inherit", env: { ...process.env, PATH: process.env.OUTER_PATH } });
  if (status !== 0) process.exit(status ?? 1);
}
for (const name of others) link(name);

function link(name) {
  const folder = packageFolder(name);
  if (folder === undefined) throw new Error(`${name} is not among the packages of tests/package.json`);
  symlink(folder, join("node_modules", name));
  const { bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const programs = typeof bin === "string" ? { [name]: bin } : bin;
  for (const [program, path] of Object.entries(programs)) symlink(join(folder, path), join("node_modules", ".bin", program));
}

function symlink(target, path) {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}
