/** Programs that npm packages bring, and running them to their end. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The program of an npm package of the same name. */
export function program(name) {
  try {
    const manifest = require.resolve(`${name}/package.json`);
    const { bin } = require(manifest);
    return join(dirname(manifest), typeof bin === "string" ? bin : bin[name]);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(`${name} is missing: npm ci installs it`);
  }
}

/** The version that a package of the workspace says it has. */
export const packageVersion = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8")).version;

/** Runs a program that must succeed within `timeoutMs`. */
export function succeed(name, command, args, { timeoutMs }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs, env: { ...process.env, TZ: "UTC", NO_COLOR: "1" } });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (printed = (printed + data).slice(-4000)));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) return resolve();
      const lines = printed.trimEnd().split("\n").slice(-10).map((line) => `    | ${line.slice(0, 300)}`);
      reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}:\n${lines.join("\n")}`));
    });
  });
}
