/** The runner of the vectors: it sees a wrong answer in every runtime, and trusts no reply blindly. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support/processes.mjs";
import { temporaryFolder } from "../support/worker.mjs";
import { agrees } from "./answer.mjs";
import { jsValuesOf, putJsValues } from "./carry.mjs";
import { atTime } from "./clock.mjs";
import { replyOf, RUNTIME_NAMES } from "./runtimes.mjs";

const COMMAND = fileURLToPath(new URL("run.mjs", import.meta.url));
const definitions = { flags: [{ key: "on", active: true, filters: { groups: [{}] } }] };
const context = { distinct_id: "u", groups: {}, person_properties: {}, group_properties: {} };
const vector = (id, value) => ({ id, source: "this test", definitions, context, flag_key: "on", expected: { status: "value", value } });

let folder;
before(() => {
  folder = temporaryFolder("vectors");
  writeFileSync(join(folder.path, "wrong.json"), JSON.stringify([vector("right", true), vector("wrong", false)]));
});
after(() => folder.remove());

const runVectors = (...args) => run("run.mjs", process.execPath, [COMMAND, ...args], { env: { FLAGPOST_VECTORS: folder.path } });

test("a wrong expected answer is seen in Node, Deno, Bun and workerd", async () => {
  const { code, stdout, stderr } = await runVectors();
  assert.equal(code, 1, stdout + stderr);
  assert.deepEqual(RUNTIME_NAMES, ["node", "deno", "bun", "workerd"]);
  for (const name of RUNTIME_NAMES) {
    assert.match(stdout, new RegExp(`^${name}: wrong\\.json: \\{"id":"wrong","flag":"on","wanted":\\{"value":false\\},"actual":\\{"value":true\\}\\}$`, "m"));
    assert.match(stdout, new RegExp(`^vectors in ${name} \\(.+\\): 1 files, 2 answers, 1 differ$`, "m"));
  }
});

test("a runtime that does not exist is refused", async () => {
  const { code, stderr } = await runVectors("--runtime", "node,nobody");
  assert.equal(code, 1);
  assert.match(stderr, /no runtime is called "nobody"; there are: node, deno, bun, workerd/);
});

test("a reply counts only from the runtime that was asked, and when it is complete", () => {
  const batch = JSON.stringify({ definitions: "{}", cases: [{ expected: [1, 2] }, { expected: [3] }] });
  const reply = (runtime, ...lines) => [{ runtime }, ...lines].map((line) => JSON.stringify(line)).join("\n");
  const good = { run: 3, mismatches: [] };
  assert.deepEqual(replyOf("bun", batch, reply("Bun/1.0.0", good)), { runtime: "Bun/1.0.0", replies: [good] });
  assert.throws(() => replyOf("bun", batch, reply("Node.js/20.0.0", good)), /bun was asked, but Node\.js\/20\.0\.0 answered/);
  assert.throws(() => replyOf("bun", batch, ""), /bun was asked, but nobody answered/);
  assert.throws(() => replyOf("bun", `${batch}\n${batch}`, reply("Bun/1.0.0", good)), /got 2 batches and answered 1/);
  assert.throws(() => replyOf("bun", batch, reply("Bun/1.0.0", { ...good, run: 2 })), /got 3 cases in batch 1 and answered 2/);
});

test("an answer agrees only when value, payload and reason are the same", () => {
  assert.ok(agrees({ value: true, payload: { a: [1, -0] } }, { payload: { a: [1, 0] }, value: true }));
  assert.ok(agrees({ unresolved: "missing_context" }, { unresolved: "any" }));
  assert.ok(agrees(undefined, null));
  for (const [actual, expected] of [
    [{ value: true }, { value: "true" }],
    [{ value: true, payload: 0 }, { value: true }],
    [{ value: true }, { value: true, payload: null }],
    [{ value: true, payload: [] }, { value: true, payload: {} }],
    [{ value: true, payload: { a: 1 } }, { value: true, payload: { b: 1 } }],
    [{ value: false }, { unresolved: "any" }],
    [{ unresolved: "missing_context" }, { unresolved: "unsupported_definition" }],
    [undefined, { value: false }],
    [{ value: undefined }, null],
    [{ threw: "Error: no" }, { unresolved: "any" }],
  ]) assert.ok(!agrees(actual, expected), JSON.stringify([actual, expected]));
});

test("values that JSON cannot carry arrive in a runtime as they were", () => {
  const carried = (value) => putJsValues(JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(jsValuesOf(value))));
  const odd = { a: undefined, b: [NaN, -0, { c: new Date(5) }], d: -Infinity, s: "\ud800", ["__proto__"]: undefined };
  const arrived = carried(odd);
  assert.deepStrictEqual(arrived, odd);
  assert.ok(Object.hasOwn(arrived, "__proto__"));
  assert.ok(Number.isNaN(carried({ k: new Date(NaN) }).k.getTime()));
});

test("a clock that stands still is a Date in every other respect, and goes on afterwards", async () => {
  const Real = Date;
  const earlier = new Date(1);
  await atTime("2022-05-01T00:00:00.000Z", async () => {
    assert.equal(Date.now(), 1651363200000);
    assert.equal(new Date().toISOString(), "2022-05-01T00:00:00.000Z");
    assert.equal(new Date("2020-01-01").getTime(), Date.parse("2020-01-01"));
    assert.ok(earlier instanceof Date && new Date() instanceof Date);
  });
  assert.equal(Date, Real);
});
