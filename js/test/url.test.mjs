/** Snapshots over HTTP, from a real server that also misbehaves. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { createReader, urlSource } from "flagpost";
import { bytesOf, definitions, flag } from "./definitions.mjs";

const bytes = bytesOf(definitions(flag("on")));
let answer;
const requests = [];
const server = createServer((request, response) => {
  requests.push(request.headers);
  answer(request, response);
});
const origin = await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
after(() => {
  server.close();
  server.closeAllConnections();
});

test("a URL is read with its ETag and headers, and unchanged bytes are not sent again", async () => {
  const served = [];
  answer = (request, response) => {
    const unchanged = request.headers["if-none-match"] === '"v1"';
    served.push(unchanged ? 304 : 200);
    response.writeHead(served.at(-1), { etag: '"v1"' }).end(unchanged ? undefined : bytes);
  };
  const reader = createReader({ source: urlSource(`${origin}/flags?signature=abc`, { headers: { authorization: "Bearer t" } }), ttl: 0 });
  const first = await reader.current();
  assert.equal(await reader.current(), first);
  assert.deepEqual(served, [200, 304]);
  assert.equal(requests.at(-1).authorization, "Bearer t");
});

test("headers may be a function, which is asked before every request", async () => {
  answer = (_request, response) => response.end(bytes);
  let token = 0;
  const source = urlSource(origin, { headers: async () => ({ authorization: `Bearer ${++token}` }) });
  await source.read(undefined);
  await source.read(undefined);
  assert.deepEqual(requests.slice(-2).map(({ authorization }) => authorization), ["Bearer 1", "Bearer 2"]);
});

test("a fetch that signs its requests reads a private bucket", async () => {
  answer = (request, response) => response.writeHead(request.headers.authorization === "signed" ? 200 : 403).end(bytes);
  await assert.rejects(urlSource(origin).read(undefined), { code: "source_failed", message: /403/ });
  const source = urlSource(origin, { fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, authorization: "signed" } }) });
  assert.deepEqual(new Uint8Array((await source.read(undefined)).bytes), bytes);
});

const failures = {
  "status 500": [(_request, response) => response.writeHead(500).end("signature"), /source_failed http:\/\/127\.0\.0\.1:\d+\/flags .*500/],
  "status 503": [(_request, response) => response.writeHead(503).end("signature"), /source_failed .*503/],
  "status 404": [(_request, response) => response.writeHead(404).end(), /no_snapshot .*\/flags/],
  "a connection that is closed": [(request) => request.socket.destroy(), /source_failed .*\/flags cannot be read/],
  "a body that is cut": [
    (request, response) => response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, 9), () => request.socket.destroy()),
    /source_failed .*\/flags cannot be read/,
  ],
};
for (const [what, [respond, expected]] of Object.entries(failures)) {
  test(`${what} is an error that names the address, but never its query`, async () => {
    answer = respond;
    await assert.rejects(createReader({ source: `${origin}/flags?signature=abc` }).current(), (error) => {
      assert.match(`${error.code} ${error.message}`, expected);
      assert.doesNotMatch(error.message, /signature|abc/);
      return true;
    });
  });
}

for (const [what, respond] of [
  ["does not answer", () => {}],
  ["stops in the middle of its answer", (_request, response) => response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, 9))],
]) {
  test(`a server that ${what} is given up`, async () => {
    answer = respond;
    await assert.rejects(urlSource(origin, { timeoutMs: 50 }).read(undefined), { code: "source_failed", message: /timeout/i });
    server.closeAllConnections();
  });
}

test("an address without an origin is named all the same", () => {
  for (const address of ["file:///folder/flags.snapshot", "s3://bucket/flags.snapshot"]) assert.equal(urlSource(address).describe, address);
});

test("why the network refused is told", async () => {
  const gone = createServer();
  const port = await new Promise((resolve) => gone.listen(0, "127.0.0.1", () => resolve(gone.address().port)));
  await new Promise((resolve) => gone.close(resolve));
  await assert.rejects(urlSource(`http://127.0.0.1:${port}/flags`).read(undefined), { code: "source_failed", message: /ECONNREFUSED/ });
});

test("a header that cannot be sent is refused without its value", async () => {
  for (const authorization of ["Bearer hidden\ntoken", " Bearer hidden\u0000 "]) {
    for (const headers of [{ authorization, "x-empty": "" }, () => ({ authorization })]) {
      await assert.rejects(urlSource(origin, { headers }).read(undefined), ({ code, message }) => code === "source_failed" && !message.includes("hidden"));
    }
  }
});

test("the body of an answer that is not used is not left open", async () => {
  const cancelled = [];
  for (const status of [500, 404]) {
    const body = new ReadableStream({ cancel: () => void cancelled.push(status) });
    const source = urlSource(origin, { fetch: async () => new Response(body, { status }) });
    await source.read(undefined).catch(() => {});
  }
  assert.deepEqual(cancelled, [500, 404]);
});

test("a timeout that no timer takes is refused", () => {
  for (const timeoutMs of [0, Infinity, 2 ** 31]) assert.throws(() => urlSource(origin, { timeoutMs }), { code: "invalid_options", message: /timeoutMs/ });
});
