/** Every source, over the real thing, held to one contract. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as flagpost from "flagpost";
import { Miniflare } from "miniflare";
import { installPackage, program, succeed } from "../packaging/project.mjs";
import { ROOT, temporaryFolder } from "../support/worker.mjs";
import { cases } from "./contract.mjs";
import { named } from "./snapshots.mjs";

const { embeddedSource, kvSource, memorySource, r2Source, urlSource } = flagpost;
const SNAPSHOTS = [named("first"), named("second")];
const [first] = SNAPSHOTS;
const base64 = Buffer.from(first).toString("base64");

const served = { bytes: null, etag: true };
const server = createServer((request, response) => {
  if (request.url.startsWith("/broken")) return request.socket.destroy();
  if (served.bytes === null) return response.writeHead(404).end();
  const etag = `"${Buffer.from(served.bytes).toString("base64").slice(-12)}"`;
  if (request.headers["if-none-match"] === etag) return response.writeHead(304).end();
  response.writeHead(200, served.etag ? { etag } : {}).end(served.bytes);
});
const { path: folder, remove } = temporaryFolder("sources");
let miniflare;
let origin;
before(async () => {
  origin = await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
  miniflare = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() };",
    compatibilityDate: "2025-05-01",
    kvNamespaces: ["FLAGS"],
    r2Buckets: ["BUCKET"],
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  await miniflare.ready;
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await miniflare?.dispose();
  remove();
});

/** KV and R2 refuse keys of this length. */
const TOO_LONG = "k".repeat(2000);

function urlStore(etag) {
  served.etag = etag;
  return {
    source: urlSource(`${origin}/flags?signature=hidden`),
    broken: urlSource(`${origin}/broken?signature=hidden`),
    secret: "hidden",
    put: (bytes) => void (served.bytes = bytes),
    remove: () => void (served.bytes = null),
  };
}

const stores = {
  "a Workers KV binding": async () => {
    const kv = await miniflare.getKVNamespace("FLAGS");
    return { source: kvSource(kv), broken: kvSource(kv, { key: TOO_LONG }), put: (bytes) => kv.put("flagpost", bytes), remove: () => kv.delete("flagpost") };
  },
  "an R2 bucket": async () => {
    const bucket = await miniflare.getR2Bucket("BUCKET");
    return { source: r2Source(bucket), broken: r2Source(bucket, { key: TOO_LONG }), put: (bytes) => bucket.put("flagpost", bytes), remove: () => bucket.delete("flagpost") };
  },
  "a URL with an ETag": () => urlStore(true),
  "a URL without an ETag": () => urlStore(false),
  memory: () => {
    const source = memorySource();
    return { source, put: (bytes) => source.set(bytes), remove: () => source.set(null) };
  },
  "an ArrayBuffer in memory": () => {
    const source = memorySource();
    return { source, put: (bytes) => source.set(bytes.slice().buffer), remove: () => source.set(null) };
  },
  "embedded bytes": () => ({ source: embeddedSource(first) }),
  "embedded base64": () => ({ source: embeddedSource(base64) }),
  "an embedded module": () => {
    const file = join(folder, "flags.snapshot.mjs");
    writeFileSync(file, `export default ${JSON.stringify(base64)};\n`);
    return { source: embeddedSource(() => import(file)), broken: embeddedSource(() => import(join(folder, "missing.mjs"))) };
  },
};
for (const [name, open] of Object.entries(stores)) {
  for (const [rule, check] of Object.entries(cases)) {
    test(`${name}: ${rule}`, async () => check(await open(), SNAPSHOTS, flagpost));
  }
}

test("an embedded text that is no snapshot is refused, and says what was expected", async () => {
  for (const wrong of ["bm90IGE=", Buffer.from('{"flags":[]}').toString("base64"), 7, null, { default: undefined }]) {
    const source = embeddedSource(() => wrong);
    await assert.rejects(source.read(undefined), { code: "invalid_input", message: /flagpost embed/ });
  }
});

function deno(command, cwd, ...args) {
  return succeed("deno", program("deno"), [command, "--node-modules-dir=manual", "--unstable-kv", ...args], { cwd, env: { NO_COLOR: "1" } });
}

test("Deno KV, in Deno, keeps to the contract, with snapshots of one chunk and of many", async () => {
  const files = SNAPSHOTS.concat(named("first", 1_500_000), named("second", 700_000)).map((bytes, index) => {
    const file = join(folder, `${index}.snapshot`);
    writeFileSync(file, bytes);
    return file;
  });
  const printed = await deno("run", ROOT, "--no-prompt", "--allow-read", "tests/sources/deno-kv.mjs", ...files);
  assert.equal(printed.trim().split("\n").length, 2 * Object.keys(cases).length + 8, printed);
});

test("Deno's own types fit", async () => {
  const project = await installPackage();
  try {
    const script = `
      import { createReader, denoKvSource, writeDenoKv } from "flagpost";
      const kv = await Deno.openKv(":memory:");
      denoKvSource(kv, { key: "flags" });
      createReader({ source: [kv, new Uint8Array()] });
      const result: "written" | "conflict" = await writeDenoKv(kv, new Uint8Array(), { expected: null });
      console.log(result);
    `;
    await deno("check", project.path, project.write("types.ts", script));
    await assert.rejects(deno("check", project.path, project.write("wrong.ts", script.replace("kv, { key", "{}, { key"))), /denoKvSource\(\{\}/);
  } finally {
    project.remove();
  }
});
