/** The program `flagpost`, run as users run it, in a folder of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const TSC = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");

/** A folder that is removed when the test ends, and the program run in it. */
export function folder(context) {
  const path = mkdtempSync(join(tmpdir(), "flagpost-cli-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write: (name, content) => writeFileSync(join(path, name), content),
    read: (name) => readFileSync(join(path, name), "utf8"),
    flagpost: (args, options) => run([PROGRAM, ...args], { cwd: path, ...options }),
    /** Compiles files of the folder strictly; what is wrong with them. */
    tsc: async (compilerOptions, ...files) => {
      const options = { strict: true, noEmit: true, target: "ES2022", module: "NodeNext", moduleResolution: "NodeNext", lib: ["ES2022"], types: [], ...compilerOptions };
      writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files }));
      return (await run([TSC, "-p", "."], { cwd: path })).stdout;
    },
  };
}

function run(args, { cwd, input = "", env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env } });
    const printed = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (printed[name] += text));
    // A program that ends early does not read its input.
    child.stdin.on("error", () => {}).end(input);
    child.on("error", reject).on("close", (code) => resolve({ code, ...printed }));
  });
}

/** What is written for one key in the output of `flagpost types`, as its two types. */
export function typesOf(text, literal) {
  const at = text.indexOf(`\n  ${literal}: {\n`);
  if (at < 0) return undefined;
  const [, value, payload] = /\n {4}value: (.*);\n {4}payload: (.*);\n {2}\};\n/.exec(text.slice(at));
  return { value, payload };
}
