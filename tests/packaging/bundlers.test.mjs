/** The packed package bundled by Vite, webpack and esbuild; what they make is run in a real browser and in Node. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { start } from "../support/processes.mjs";
import { askingModule, askReference } from "./answers.mjs";
import { noBrowser, page, serve, unpackBrowser } from "./browser.mjs";
import { installPackage, program, succeed } from "./project.mjs";

const POST = 'document.body.append(answers()); fetch("/answers", { method: "POST", body: answers() });';
const NAMES = ["flagpost", "flagpost/slim"];

let project;
let expected;
let browser;

before(async () => {
  project = await installPackage();
  for (const name of ["vite", "webpack"]) project.link(name);
  expected = await askReference();
  if (!noBrowser) browser = unpackBrowser();
});
after(() => {
  browser?.remove();
  project?.remove();
});

const node = (name, ...args) => succeed(name, process.execPath, args, { cwd: project.path, env: { NO_COLOR: "1", NODE_ENV: undefined } });
const vite = (...args) => node("vite", program("vite"), ...args);

/** What a folder's page answers in the browser. */
async function answersInBrowser(folder) {
  const server = await serve(`${project.path}/${folder}`);
  try {
    return await server.answers(browser.open(`${server.url}/`));
  } finally {
    await server.close();
  }
}

/** Builds with webpack; the configuration is JavaScript. */
async function webpack(config) {
  const script = `
    import webpack from "webpack";
    webpack({ mode: "production", context: ${JSON.stringify(project.path)}, ...${JSON.stringify(config)} }, (error, stats) => {
      if (error || stats.hasErrors() || stats.hasWarnings()) throw error ?? new Error(stats.toString());
    });`;
  await node("webpack", project.write("webpack.mjs", script));
}

for (const name of NAMES) {
  const folder = name.replace("/", "-");

  test(`Vite's build of an app with ${name} answers as posthog-node does in Chromium`, { skip: noBrowser }, async () => {
    project.write(`vite-${folder}/index.html`, page('<script type="module" src="/main.js"></script>'));
    project.write(`vite-${folder}/main.js`, askingModule(name, POST));
    await vite("build", `vite-${folder}`);
    assert.deepEqual(await answersInBrowser(`vite-${folder}/dist`), expected);
  });

  test(`esbuild's bundle of ${name} answers as posthog-node does in Chromium`, { skip: noBrowser }, async () => {
    const entry = project.write(`esbuild-${folder}/main.js`, askingModule(name, POST));
    await build({ entryPoints: [entry], outfile: `${project.path}/esbuild-${folder}/dist/main.js`, bundle: true, minify: true, logLevel: "silent" });
    project.write(`esbuild-${folder}/dist/index.html`, page('<script src="/main.js"></script>'));
    assert.deepEqual(await answersInBrowser(`esbuild-${folder}/dist`), expected);
  });

  for (const target of ["web", "webworker"]) {
    test(`webpack's build of ${name} for the target ${target} answers as posthog-node does in Chromium`, { skip: noBrowser }, async () => {
      const use = target === "web" ? POST : 'fetch("/answers", { method: "POST", body: answers() });';
      const entry = project.write(`webpack-${folder}-${target}/main.js`, askingModule(name, use));
      const started = target === "web" ? '<script src="/main.js"></script>' : '<script>new Worker("/main.js").onerror = (event) => report(event.message);</script>';
      const out = `webpack-${folder}-${target}/dist`;
      // The script is as large as it is because the module travels in it: the hint about it is expected.
      await webpack({ target, entry, output: { path: `${project.path}/${out}`, filename: "main.js" }, performance: false });
      project.write(`${out}/index.html`, page(started));
      assert.deepEqual(await answersInBrowser(out), expected);
    });
  }

  test(`webpack's build of ${name} for the target node answers as posthog-node does`, async () => {
    const entry = project.write(`webpack-${folder}-node/main.js`, askingModule(name, "console.log(answers());"));
    await webpack({ target: "node", entry, output: { path: `${project.path}/webpack-${folder}-node`, filename: "out.cjs" } });
    assert.deepEqual(JSON.parse(await node("node", `webpack-${folder}-node/out.cjs`)), expected);
  });

  for (const format of ["es", "cjs"]) {
    test(`a library of Vite's with ${name} in it, as ${format}, answers as posthog-node does in Node`, async () => {
      const at = `lib-${folder}-${format}`;
      project.write(`${at}/main.js`, askingModule(name, "export const all = answers();"));
      const extension = format === "es" ? "mjs" : "cjs";
      project.write(`${at}/vite.config.mjs`, `
        export default { build: { lib: { entry: "main.js", formats: ["${format}"], fileName: () => "out.${extension}" } } };`);
      await vite("build", at);
      const use = format === "es" ? 'import { all } from "./dist/out.mjs"; console.log(all);' : 'console.log(require("./dist/out.cjs").all);';
      assert.deepEqual(JSON.parse(await node("node", project.write(`${at}/use.${extension}`, use))), expected);
    });
  }

  test(`Vite's build of ${name} for a server answers as posthog-node does`, async () => {
    const at = `ssr-${folder}`;
    project.write(`${at}/main.js`, askingModule(name, "console.log(answers());"));
    project.write(`${at}/vite.config.mjs`, "export default { ssr: { noExternal: true } };");
    await vite("build", at, "--ssr", "main.js");
    assert.deepEqual(JSON.parse(await node("node", `${at}/dist/main.js`)), expected);
  });
}

test("Vite's development server serves an app that answers as posthog-node does in Chromium", { skip: noBrowser }, async () => {
  const catcher = await serve(project.path);
  project.write("dev/index.html", page('<script type="module" src="/main.js"></script>'));
  project.write("dev/main.js", askingModule("flagpost", POST));
  project.write("dev/vite.config.mjs", `export default { server: { host: "127.0.0.1", port: 0, proxy: { "/answers": "${catcher.url}" } } };`);
  const server = start("vite", process.execPath, [program("vite"), "dev"], { cwd: `${project.path}/dev`, env: { NO_COLOR: "1" } });
  try {
    const url = await server.waitFor("its address", (log) => log.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0]);
    assert.deepEqual(await catcher.answers(browser.open(url)), expected);
  } finally {
    await server.stop();
    await catcher.close();
  }
});
