/** The modules' memory at its end. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { watched } from "../../js/test/instances.mjs";
import { bytesOf, filter, flag, USER } from "./support.mjs";

const require = createRequire(import.meta.url);
const definitions = bytesOf({ flags: [flag("pro", [filter("plan", "starts_with", "pro")])] });

/** Takes all the memory that a module can have, so that the next large thing must fail. */
function fill(memory) {
  for (let pages = 65_536; pages >= 1; pages = Math.floor(pages / 2)) {
    try {
      while (memory.buffer.byteLength / 65_536 + pages <= 65_536) memory.grow(pages);
    } catch (error) {
      assert.ok(error instanceof RangeError);
    }
  }
  assert.ok(memory.buffer.byteLength > 2 ** 31, "the memory could be taken");
}

/** A copy of the package of its own, with definitions, the answer to them, and the memory of both modules. */
function started() {
  const path = require.resolve("flagpost");
  delete require.cache[path];
  const { instances, result } = watched(() => {
    const flagpost = require(path);
    const loaded = flagpost.load(definitions);
    return { ...flagpost, loaded, expected: flagpost.evaluate(loaded, USER) };
  });
  const memoryOf = (compiles) => instances.find((instance) => instance.compiles === compiles).memory;
  return { ...result, evaluator: memoryOf(false), compiler: memoryOf(true) };
}

const brokeOff = { name: "FlagpostError", code: "trap", message: /the next call works/ };
const large = { distinctId: "u", personProperties: { plan: "pro".padEnd(64 << 20) } };

test("evaluator memory that runs out is reported once, and the same definitions answer afterwards", () => {
  const { evaluate, loaded, expected, evaluator } = started();
  fill(evaluator);
  assert.deepEqual(evaluate(loaded, USER), expected, "what is small has room");
  assert.throws(() => evaluate(loaded, large), brokeOff);
  assert.deepEqual(evaluate(loaded, USER), expected);
  assert.deepEqual(evaluate(loaded, large).featureFlags, { pro: true });
});

test("compiler memory that runs out is reported once, and the same definitions load afterwards", () => {
  const { evaluate, load, loaded, expected, compiler } = started();
  fill(compiler);
  const padded = bytesOf({ flags: [flag("on")], padding: "x".repeat(64 << 20) });
  assert.throws(() => load(padded), brokeOff);
  assert.deepEqual(evaluate(loaded, USER), expected, "the evaluator goes on");
  assert.deepEqual(evaluate(load(padded), USER).featureFlags, { on: true });
});
