/** Parts of the program `flagpost`, without starting it for each of hundreds of inputs. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const index = new URL("../dist/index.js", import.meta.url).href;
const { outputFiles } = await build({
  stdin: {
    contents: 'export { declarationsOf } from "./declarations.js"; export { isWhole } from "../checksum.js";',
    resolveDir: fileURLToPath(new URL("../src/cli", import.meta.url)),
  },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  plugins: [{ name: "index", setup: ({ onResolve }) => onResolve({ filter: /\/entry\/inline\.js$/ }, () => ({ path: index, external: true })) }],
});

export const { declarationsOf, isWhole } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
