/** The evaluator breaking off half-way, which a fault in the host's Date brings about for real. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag, load } from "flagpost";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";

const dated = definitions(flag("fresh", [filter("joined", "is_date_after", "2020-01-01")]), flag("on"));
const user = { distinctId: "user-1", personProperties: { joined: "1 May 2024" } };

/** Throws through the module's own frames, as a trap does: what they held stays taken. */
function whileDateIsBroken(work) {
  const original = Date.parse;
  Date.parse = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  try {
    work();
  } finally {
    Date.parse = original;
  }
}

function instances(work) {
  const original = WebAssembly.Instance;
  let count = 0;
  WebAssembly.Instance = class extends original {
    constructor(...parts) {
      super(...parts);
      count++;
    }
  };
  try {
    work();
  } finally {
    WebAssembly.Instance = original;
  }
  return count;
}

test("a trap is reported once, and the next call works with the same definitions", () => {
  const bystander = load(bytesOf({ ...dated, other: true }));
  const loaded = load(bytesOf(dated));
  const expected = evaluate(loaded, user);
  whileDateIsBroken(() => {
    assert.throws(() => evaluate(loaded, user), (error) => {
      assert.equal(error.name, "FlagpostError");
      assert.equal(error.code, "trap");
      assert.ok(error.cause instanceof WebAssembly.RuntimeError);
      return true;
    });
  });
  const started = instances(() => {
    assert.deepEqual(evaluate(loaded, user), expected);
    assert.deepEqual(evaluate(bystander, user), expected);
    assert.deepEqual(evaluateFlag(loaded, "fresh", user), { value: true });
  });
  assert.equal(started, 1, "one new instance serves all definitions");
  loaded.free();
  bystander.free();
});

test("definitions can be freed after a trap took their instance", () => {
  const loaded = load(bytesOf(dated));
  whileDateIsBroken(() => assert.throws(() => evaluate(loaded, user), { code: "trap" }));
  loaded.free();
  assert.throws(() => evaluate(loaded, user), { code: "freed" });
  assert.deepEqual(evaluateFlag(dated, "on", user), { value: true });
});

test("a trap while definitions are loaded leaves nothing of them behind", () => {
  const input = definitions(flag("fresh", [filter("joined", "is_date_after", "May 2020")]));
  whileDateIsBroken(() => assert.throws(() => load(input), { code: "trap" }));
  assert.deepEqual(evaluateFlag(input, "fresh", user), { value: true });
});

test("a hundred traps in a row are recovered from", () => {
  const loaded = load(bytesOf(dated));
  for (let round = 0; round < 100; round++) {
    whileDateIsBroken(() => assert.throws(() => evaluate(loaded, user), { code: "trap" }));
    assert.deepEqual(evaluateFlag(loaded, "fresh", user), { value: true });
  }
});

test("an exception of the user's own values is theirs, and starts nothing anew", () => {
  const broken = { distinctId: "user-1", get personProperties() { throw new RangeError("mine"); } };
  const started = instances(() => {
    assert.throws(() => evaluate(dated, broken), { name: "RangeError", message: "mine" });
    assert.deepEqual(evaluateFlag(dated, "on", user), { value: true });
  });
  assert.equal(started, 0);
});

test("a start that finds no stack left is a trap, not a runtime without WebAssembly", () => {
  const loaded = load(bytesOf(dated));
  whileDateIsBroken(() => assert.throws(() => evaluate(loaded, user), { code: "trap" }));
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function exhausted() {
    return exhausted() && new Instance();
  };
  try {
    assert.throws(() => evaluate(loaded, user), (error) => error.code === "trap" && error.cause instanceof RangeError);
  } finally {
    WebAssembly.Instance = Instance;
  }
  assert.deepEqual(evaluateFlag(loaded, "on", user), { value: true });
});
