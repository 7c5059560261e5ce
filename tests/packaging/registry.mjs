/** A registry on this machine that has one package, ours, as if it were published. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const manifest = JSON.parse(readFileSync(new URL("../../js/package.json", import.meta.url), "utf8"));

/** Starts it; `asked` are the paths that were requested. */
export async function startRegistry(tarball) {
  const { name, version } = manifest;
  const bytes = readFileSync(tarball);
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    const path = `/${name}/-/${name}-${version}.tgz`;
    if (request.url === path) return response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes);
    if (request.url !== `/${name}`) return response.writeHead(404, { "content-type": "application/json" }).end('{"error":"Not found"}');
    const dist = {
      tarball: `${url}${path}`,
      integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
      shasum: createHash("sha1").update(bytes).digest("hex"),
    };
    const published = { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(published));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    asked,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
