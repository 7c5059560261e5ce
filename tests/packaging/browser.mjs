/** A real Chromium, which comes inside an npm package, and pages for it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { start } from "../support/processes.mjs";
import { packageFolder } from "./project.mjs";

/** Why there is no browser here; false if there is one. */
export const noBrowser = process.platform === "linux" && process.arch === "x64" ? false : "the browser that npm brings is for Linux on x64";

/** Unpacks the browser into a folder of its own. */
export function unpackBrowser() {
  const folder = mkdtempSync(join(tmpdir(), "flagpost-browser-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    return { open: opener(folder), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A function that opens an address in a browser with a profile of its own. */
function opener(folder) {
  const unpacked = (name) => brotliDecompressSync(readFileSync(join(packageFolder("@sparticuz/chromium"), "bin", `${name}.br`)));
  const program = join(folder, "chromium");
  writeFileSync(program, unpacked("chromium"), { mode: 0o755 });
  // Libraries, fonts and a renderer that a machine without a desktop lacks.
  for (const archive of ["al2023.tar", "fonts.tar", "swiftshader.tar"]) {
    execFileSync("tar", ["-xf", "-", "--no-same-owner", "-C", folder], { input: unpacked(archive) });
  }
  let profiles = 0;
  return (url) => {
    const profile = join(folder, `profile-${++profiles}`);
    mkdirSync(profile);
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--in-process-gpu", "--remote-debugging-port=0", `--user-data-dir=${profile}`, url];
    return start("chromium", program, args, {
      env: { HOME: profile, FONTCONFIG_PATH: join(folder, "fonts"), LD_LIBRARY_PATH: join(folder, "al2023", "lib") },
    });
  };
}

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Serves a folder; what a page posts to `/answers` is kept. */
export async function serve(folder) {
  let posted;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://host").pathname);
    if (request.method === "POST") {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk) => (body += chunk)).on("end", () => {
        posted = body;
        response.end();
      });
      return;
    }
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    try {
      const body = readFileSync(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** What the page in this browser has posted: its answers. */
    async answers(browser) {
      try {
        return JSON.parse(await browser.waitFor("answers of the page", () => posted));
      } finally {
        await browser.stop();
      }
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A page that runs a script, and posts what went wrong if something does. */
export const page = (script) => `<!doctype html>
<title>flags</title>
<script>
  const report = (error) => fetch("/answers", { method: "POST", body: JSON.stringify(String(error)) });
  addEventListener("error", (event) => report(event.error ?? event.message));
  addEventListener("unhandledrejection", (event) => report(event.reason));
</script>
<body>${script}</body>
`;
