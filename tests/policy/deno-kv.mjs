/** A program for Deno: refreshes into a real Deno KV, and prints what came of it as JSON. */
import { createReader, denoKvSource, evaluateFlag } from "flagpost";
import { denoKvTarget, memoryTarget, refresh } from "flagpost/refresh";
import { definitions, KEYS } from "./table.mjs";

const kv = await Deno.openKv(":memory:");
const answers = (body, etag) => async (_, { headers }) =>
  headers["if-none-match"] === etag ? new Response(null, { status: 304 }) : new Response(body, { headers: { etag } });
const run = (fetch, target = kv) => refresh({ ...KEYS, host: "http://localhost:1", target, fetch });
const value = async () => {
  const reader = createReader({ source: denoKvSource(kv) });
  return evaluateFlag(await reader.current(), "flag-1999", { distinctId: "u" })?.value ?? null;
};

// Several chunks.
const large = answers(definitions(2000), '"large"');
const reports = [await run(large), await run(large)];
const values = [await value()];
// A part of it gets lost.
for await (const { key } of kv.list({ prefix: ["flagpost"] })) if (key.at(-1) === 1) await kv.delete(key);
reports.push(await run(large));
values.push(await value());

// Somebody else writes in between.
const other = memoryTarget();
await run(answers(definitions(2001), '"other"'), other);
const target = denoKvTarget(kv);
const { version } = await target.read();
const { bytes } = await other.read();
const writes = [await target.write(bytes, "another"), await target.write(bytes, null), await target.write(bytes, version), await target.write(bytes, version)];
kv.close();
console.log(JSON.stringify({ reports: reports.map(({ status, reason, written }) => [status, reason, written]), values, writes }));
