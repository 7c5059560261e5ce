/** The packed npm package, installed in a throw-away project as users install it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../support/processes.mjs";

const JS = fileURLToPath(new URL("../../js", import.meta.url));

/** A folder inside the repository that git ignores. */
export const INSIDE = fileURLToPath(new URL("../../target", import.meta.url));

/**
 * A throw-away project with the packed package in it. The project is removed by `remove`.
 * @param {string} parent where its folder is made: `INSIDE` the repository, the workspace's npm packages are found as well
 */
export async function installPackage(parent) {
  const project = createProject(parent);
  try {
    const tarball = await packInto(project.path);
    project.write("package.json", MANIFEST);
    // Offline: the package must not need any other.
    await succeed("npm install", "npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: project.path });
    return { ...project, tarball };
  } catch (error) {
    project.remove();
    throw error;
  }
}

/** Of a project that is an ES module. */
export const MANIFEST = '{ "name": "throw-away", "private": true, "type": "module" }\n';

/** An empty throw-away project. */
export function createProject(parent = tmpdir()) {
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, "flagpost-packaging-"));
  return {
    path,
    remove: () => rmSync(path, { recursive: true, force: true }),
    write: (name, text) => write(path, name, text),
    link: (name) => link(path, name),
  };
}

/** Packs js/; the tarball's path. */
export async function packInto(folder) {
  await succeed("npm pack", "npm", ["pack", "--pack-destination", folder], { cwd: JS });
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")));
}

function write(path, name, text) {
  const file = join(path, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** Puts an npm package of the workspace beside ours. */
function link(path, packageName) {
  const place = join(path, "node_modules", packageName);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(packageFolder(packageName), place);
}

/** Runs a program that must succeed; its standard output. */
export async function succeed(name, command, args, options) {
  const { code, stdout, stderr } = await run(name, command, args, options);
  if (code !== 0) throw new Error(`${name} ended with exit code ${code}:\n${stdout}${stderr}`);
  return stdout;
}

/** Where an npm package of the workspace lies. Not every package lets its manifest be resolved. */
export function packageFolder(packageName) {
  const { paths } = createRequire(import.meta.url).resolve;
  return paths(packageName).map((folder) => join(folder, packageName)).find((folder) => existsSync(folder));
}

/** The program that an npm package brings, by its name in that package's `bin`. */
export function program(packageName, bin = packageName) {
  const folder = packageFolder(packageName);
  const { bin: bins } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bins === "string" ? bins : bins[bin]);
}

const MODULE_TYPES = { ".wasm": "CompiledWasm", ".snapshot": "Data" };

/**
 * Bundles the Worker of a folder, `worker.js`, by its wrangler settings, as for an upload.
 * @param {string} outputs a folder for the bundle
 * @returns what Miniflare runs it by, `modulesRoot` and `modules`: first the script, then the files that it brings
 */
export async function bundleByWrangler(folder, outputs) {
  const env = { CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(outputs, "logs") };
  await succeed("wrangler", process.execPath, [program("wrangler"), "deploy", "--dry-run", "--outdir", outputs], { cwd: folder, env });
  const brought = readdirSync(outputs)
    .map((name) => ({ type: MODULE_TYPES[extname(name)], path: join(outputs, name) }))
    .filter(({ type }) => type !== undefined);
  return { modulesRoot: outputs, modules: [{ type: "ESModule", path: join(outputs, "worker.js") }, ...brought] };
}
