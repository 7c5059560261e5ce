/**
 * Runs a composite action as GitHub's runner does: expressions filled in, each `run` a file that bash
 * reads, files for outputs and the summary, commands in the log obeyed. GitHub's cache is a folder.
 * It knows the few expressions that our files use, and fails on any other.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../support/processes.mjs";

/** `a.b.c` in the contexts, as text; what is not there is empty, as on GitHub. */
function lookUp(expression, contexts) {
  if (!/^[a-z]+(\.[A-Za-z0-9_-]+)+$/.test(expression)) throw new Error(`the runner of the tests cannot evaluate: ${expression}`);
  const value = expression.split(".").reduce((node, name) => node?.[name], contexts);
  return value === undefined || value === null ? "" : String(value);
}

/** A text with its `${{ … }}` filled in. */
export function fill(text, contexts) {
  return String(text).replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression) => lookUp(expression, contexts));
}

export const fillAll = (texts, contexts) => Object.fromEntries(Object.entries(texts ?? {}).map(([name, text]) => [name, fill(text, contexts)]));

function applies(condition, contexts) {
  if (condition === undefined) return true;
  const [, left, right] = condition.match(/^(\S+) != '([^']*)'$/) ?? [];
  if (left === undefined) throw new Error(`the runner of the tests cannot evaluate: ${condition}`);
  return lookUp(left, contexts) !== right;
}

/** The commands in a log that GitHub would obey, in order: `{name, text}`. */
export function commands(log) {
  const found = [];
  let stopped = null;
  for (const line of log.split(/\r?\n/)) {
    const [, name, text] = line.trimStart().match(/^::([A-Za-z0-9-]+)(?: [^:]*)?::(.*)$/) ?? [];
    if (stopped !== null) {
      if (line.trim() === `::${stopped}::`) stopped = null;
    } else if (name === "stop-commands") stopped = text;
    else if (name !== undefined) found.push({ name, text });
  }
  return found;
}

function parseOutputs(path) {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`GitHub would refuse this line of outputs: ${line}`);
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

/**
 * @param {any} action the parsed action.yml
 * @param {{path: string, job: string, cache: string, inputs?: Record<string, string>, env?: Record<string, string | undefined>}} options
 *   `path` is the action's checkout, `job` a new folder for this job, `cache` a folder that jobs share
 * @returns {Promise<{code: number, log: string, summary: string, outputs: Record<string, string>, ran: string[]}>}
 *   of the whole action; `ran` lists the scripts and actions that were not left out
 */
export async function runAction(action, { path, job, cache, inputs = {}, env = {} }) {
  const temp = join(job, "temp");
  const workspace = join(job, "workspace");
  for (const folder of [temp, workspace, cache]) mkdirSync(folder, { recursive: true });
  const summaryPath = join(job, "summary.md");
  writeFileSync(summaryPath, "");
  const defaults = Object.fromEntries(Object.entries(action.inputs).map(([name, { default: value }]) => [name, value]));
  const contexts = { inputs: { ...defaults, ...inputs }, runner: { temp }, steps: {} };
  const runner = {
    CI: "true", GITHUB_ACTIONS: "true", GITHUB_ACTION_PATH: path, GITHUB_WORKSPACE: workspace, GITHUB_STEP_SUMMARY: summaryPath,
    RUNNER_OS: "Linux", RUNNER_ARCH: "X64", RUNNER_TEMP: temp, ImageOS: "ubuntu24",
  };
  const ran = [];
  let log = "";
  let code = 0;
  for (const [index, step] of action.runs.steps.entries()) {
    if (!applies(step.if, contexts)) continue;
    const output = join(job, `output-${index}`);
    writeFileSync(output, "");
    if (step.uses) {
      ran.push(step.uses.split("@")[0]);
      writeFileSync(output, useCache(step, fillAll(step.with, contexts), cache));
    } else {
      ran.push(step.run);
      const script = join(job, `step-${index}.sh`);
      writeFileSync(script, fill(step.run, contexts));
      // Both streams in one, because the order of their lines decides which commands GitHub obeys.
      const result = await run(`step ${index}`, "bash", ["-c", 'exec bash --noprofile --norc -eo pipefail "$0" 2>&1', script], {
        cwd: workspace, timeoutMs: 600_000, env: { ...env, ...fillAll(step.env, contexts), ...runner, GITHUB_OUTPUT: output },
      });
      log += result.stdout;
      code = result.code ?? 1;
    }
    if (step.id) contexts.steps[step.id] = { outputs: parseOutputs(output) };
    if (code !== 0) break;
  }
  const outputs = Object.fromEntries(Object.entries(action.outputs).map(([name, { value }]) => [name, fill(value, contexts)]));
  return { code, log, outputs, ran, summary: readFileSync(summaryPath, "utf8") };
}

/** actions/cache with a folder in place of GitHub's servers. Returns the step's outputs. */
function useCache({ uses }, { path, key }, cache) {
  const kept = join(cache, key);
  if (uses.startsWith("actions/cache/save@")) {
    cpSync(path, kept, { recursive: true });
    return "";
  }
  if (!uses.startsWith("actions/cache/restore@")) throw new Error(`the runner of the tests has no ${uses}`);
  const hit = existsSync(kept);
  if (hit) cpSync(kept, path, { recursive: true });
  return hit ? "cache-hit=true\n" : "";
}
