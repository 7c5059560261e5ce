/** What `flagpost types` writes, without starting the program for each of hundreds of definitions. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const entry = fileURLToPath(new URL("../src/cli/declarations.ts", import.meta.url));
const index = new URL("../dist/index.js", import.meta.url).href;
const { outputFiles } = await build({
  entryPoints: [entry],
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  plugins: [{ name: "index", setup: ({ onResolve }) => onResolve({ filter: /\/entry\/inline\.js$/ }, () => ({ path: index, external: true })) }],
});

export const { declarationsOf } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
