/** Somebody who does what a page says, in a fresh folder, with nobody's settings and no network. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { noBrowser } from "../packaging/browser.mjs";
import { INSIDE, program } from "../packaging/project.mjs";
import { run, start } from "../support/processes.mjs";
import { REFRESHER, upstreamEnv } from "../support/refresher.mjs";
import { ROOT } from "../support/worker.mjs";
import { textOf } from "./browser.mjs";

/** Ports that pages name; each run has others. */
const PORTS = ["8787", "3000"];

/** Follows the steps of a page in order. */
export async function follow(steps, { registry, posthog }) {
  const folder = mkdtempSync(join(tmpdir(), "flagpost-docs-"));
  const isNext = steps.some(({ text }) => text.includes("next build"));
  const app = isNext ? mkdtempSync(join(INSIDE, "flagpost-docs-")) : join(folder, "app");
  const ports = Object.fromEntries(await Promise.all(PORTS.map(async (port) => [port, await freePort()])));
  const context = { folder: app, state: join(folder, "state"), env: environment(folder, registry, posthog), ports, servers: [] };
  mkdirSync(app, { recursive: true });
  // Next resolves nothing outside its root, and its packages are links here.
  if (isNext) DO.file({ name: "next.config.mjs", text: `export default { turbopack: { root: ${JSON.stringify(ROOT)} }, outputFileTracingRoot: ${JSON.stringify(ROOT)} };` }, context);
  writeFileSync(context.state, "");
  try {
    for (const step of steps) await DO[step.kind](step, context);
  } finally {
    await Promise.all(context.servers.map((server) => server.stop()));
    for (const path of [app, folder]) rmSync(path, { recursive: true, force: true });
  }
}

const DO = {
  file({ name, text }, { folder, ports }) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, replaced(text, ports));
  },

  async sh(step, context) {
    const { code, stdout, stderr } = await run("bash", "bash", ["-euc", script(replaced(step.text, context.ports), context)], options(context));
    assert.equal(code, 0, `line ${step.line}: exit code ${code}\n${stdout}${stderr}`);
    if (step.output !== undefined) assert.equal(plain(restored(stdout + stderr, context.ports)), plain(step.output), `line ${step.line}`);
  },

  /** Another one's port is free again first: a server takes the place of the last one. */
  async server(step, context) {
    await Promise.all(context.servers.splice(0).map((server) => server.stop()));
    const text = replaced(step.text, context.ports);
    const server = start("the page's server", "bash", ["-euc", script(text, context)], options(context));
    context.servers.push(server);
    const port = step.text.match(/\b(?:8787|3000)\b/)?.[0] ?? "3000";
    await server.waitFor("answer", () => fetch(`http://127.0.0.1:${context.ports[port]}/`).then((r) => r.text()).then(() => true, () => false), 120_000);
  },

  async open({ name, text, line }, { ports }) {
    if (noBrowser) return;
    assert.equal((await textOf(replaced(name, ports))).trim(), text.trim(), `line ${line}`);
  },

  /** Without an account there is the program's own word on whether it knows the command. */
  async account(step, context) {
    for (const line of step.text.trim().split("\n")) {
      const tried = line.includes("wrangler deploy") ? `${line} --dry-run` : `${line} --help`;
      const { code, stdout, stderr } = await run("bash", "bash", ["-euc", script(tried, context)], options(context));
      assert.equal(code, 0, `line ${step.line}: ${tried}: exit code ${code}\n${stdout}${stderr}`);
    }
  },
};

/** What was exported stays exported, as in a terminal. */
function script(text, { state }) {
  return `. ${state}\n${text}\nexport -p > ${state}\n`;
}

function options({ folder, env }) {
  return { cwd: folder, env, timeoutMs: 240_000 };
}

function environment(folder, registry, posthog) {
  const [home, bin] = [join(folder, "home"), join(folder, "bin")];
  mkdirSync(home);
  mkdirSync(bin);
  for (const [name, path] of Object.entries({ deno: program("deno"), bun: program("bun"), refresher: REFRESHER })) {
    assert.ok(existsSync(path), `${path} is missing: run make build`);
    symlinkSync(path, join(bin, name));
  }
  writeFileSync(join(bin, "npm"), `#!/bin/sh\nexec "${process.execPath}" "${fileURLToPath(new URL("npm.mjs", import.meta.url))}" "$@"\n`);
  chmodSync(join(bin, "npm"), 0o755);
  return {
    ...upstreamEnv(posthog),
    POSTHOG_PROJECT_KEY: undefined, POSTHOG_PERSONAL_API_KEY: undefined,
    PATH: `${bin}:${process.env.PATH}`, OUTER_PATH: process.env.PATH,
    HOME: home, DENO_DIR: join(home, "deno"), BUN_INSTALL_CACHE_DIR: join(home, "bun"), NO_COLOR: "1", CI: "1",
    NPM_CONFIG_REGISTRY: registry.url, npm_config_registry: registry.url, npm_config_cache: join(home, "npm"),
    NPM_CONFIG_USERCONFIG: join(home, ".npmrc"), npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false",
    WRANGLER_SEND_METRICS: "false", NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1", NODE_ENV: undefined,
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

function replaced(text, ports) {
  return text.replace(/\b(?:8787|3000)\b/g, (port) => ports[port]);
}

function restored(text, ports) {
  return Object.entries(ports).reduce((now, [page, ours]) => now.replaceAll(ours, page), text);
}

/** Times and ages differ from run to run. */
function plain(text) {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/("?ageSeconds"?): ?\d+/g, "$1: N")
    .replace(/\b\d+(\.\d+)? ?(ms|s)\b/g, "N $2")
    .trim();
}
