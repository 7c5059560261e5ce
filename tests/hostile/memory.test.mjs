/** The evaluator's memory: bytes it was not given by the package, and its end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, load } from "flagpost";
import { assertAlive, bytesOf, filter, flag, USER } from "./support.mjs";

/** The package's own glue, caught where it starts the module. */
function exportsOf(work) {
  const original = WebAssembly.Instance;
  let exports;
  WebAssembly.Instance = class extends original {
    constructor(...parts) {
      super(...parts);
      exports = this.exports;
    }
  };
  try {
    work();
  } finally {
    WebAssembly.Instance = original;
  }
  return exports;
}

test("memory that runs out is reported once, and the same definitions answer afterwards", () => {
  const definitions = bytesOf({ flags: [flag("pro", [filter("plan", "exact", "pro")])] });
  const loaded = load(definitions);
  const exports = exportsOf(() => {
    const parse = Date.parse;
    Date.parse = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    try {
      assert.throws(() => load({ flags: [flag("d", [filter("d", "is_date_after", "May 2020")])] }), { code: "trap" });
    } finally {
      Date.parse = parse;
    }
    evaluate(loaded, USER);
  });
  const expected = evaluate(loaded, USER);
  // Takes all the memory that the module can have, so that the next large load must fail.
  const { memory } = exports;
  const grow = () => {
    for (let pages = 65_536; pages >= 1; pages = Math.floor(pages / 2)) {
      try {
        while (memory.buffer.byteLength / 65_536 + pages <= 65_536) memory.grow(pages);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }
  };
  grow();
  assert.ok(memory.buffer.byteLength > 2 ** 31, "the memory could be taken");
  const large = bytesOf({ flags: [flag("on")], padding: "x".repeat(64 << 20) });
  assert.throws(() => load(large), { name: "FlagpostError", code: "trap", message: /the next call works/ });
  assert.deepEqual(evaluate(loaded, USER), expected);
  assert.deepEqual(evaluate(load(large), USER).featureFlags, { on: true });
  assertAlive();
});
