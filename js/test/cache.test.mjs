/** What is compiled and loaded, and how often: observed by the bytes that are copied into the modules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag, load } from "flagpost";
import { bytesOf, manyFlags } from "./definitions.mjs";

const user = { distinctId: "user-1" };

/**
 * How often arrays of at least 10,000 bytes, which no user is, were copied into a module meanwhile: JSON
 * into the compiler, rulesets into the evaluator.
 */
function copies(work) {
  const original = Uint8Array.prototype.set;
  const count = { compiled: 0, loaded: 0 };
  Uint8Array.prototype.set = function set(source, offset) {
    if (source.length >= 10_000 && this.buffer !== source.buffer && this.length > 1 << 16) {
      count[source[0] === 0x7b ? "compiled" : "loaded"]++;
    }
    return original.call(this, source, offset);
  };
  try {
    work();
  } finally {
    Uint8Array.prototype.set = original;
  }
  return count;
}

const ONCE = { compiled: 1, loaded: 1 };
const TWICE = { compiled: 2, loaded: 2 };

/** Definitions unlike all others of these tests. */
let fresh = 0;
function unique() {
  return { ...manyFlags(200), fresh: ++fresh };
}

const forms = {
  object: () => unique(),
  bytes: () => bytesOf(unique()),
  buffer: () => bytesOf(unique()).buffer,
  text: () => JSON.stringify(unique()),
};
for (const [name, make] of Object.entries(forms)) {
  test(`the same ${name} is compiled once, however it is used`, () => {
    const input = make();
    const count = copies(() => {
      for (let round = 0; round < 20; round++) {
        evaluate(input, user);
        evaluateFlag(input, "flag-1", user);
        load(input);
      }
    });
    assert.deepEqual(count, ONCE);
  });
}

test("other views of the same part of a buffer are not compiled again, views of other parts are", () => {
  const [one, two] = [bytesOf(unique()), bytesOf(unique())];
  const both = new Uint8Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  const view = (start, end) => new Uint8Array(both.buffer, start, end - start);
  const count = copies(() => {
    for (let round = 0; round < 5; round++) {
      evaluate(view(0, one.length), user);
      evaluate(view(one.length, both.length), user);
    }
  });
  assert.deepEqual(count, TWICE);
});

test("the same bytes in a new buffer are not compiled again", () => {
  const bytes = bytesOf(unique());
  assert.deepEqual(copies(() => { for (let round = 0; round < 5; round++) evaluate(bytes.slice(), user); }), ONCE);
});

test("bytes that differ at their end only are other definitions", () => {
  const bytes = bytesOf(unique());
  const longer = bytesOf(unique());
  assert.deepEqual(copies(() => { evaluate(bytes, user); evaluate(longer, user); evaluate(bytes, user); }), TWICE);
});

test("evaluation contexts are part of what makes definitions the same", () => {
  const input = unique();
  assert.deepEqual(copies(() => { load(input, { evaluationContexts: ["a"] }); load(input); load(input, { evaluationContexts: ["a"] }); }), TWICE);
});

test("one user freeing definitions leaves those that others loaded from the same input", () => {
  const input = unique();
  const [mine, yours] = [load(input), load(input)];
  mine.free();
  assert.deepEqual(copies(() => evaluate(yours, user)), { compiled: 0, loaded: 0 });
  yours.free();
  assert.deepEqual(copies(() => evaluate(input, user)), { compiled: 0, loaded: 1 }, "memory was given back, but nothing is compiled again");
});

test("definitions that were loaded stay, however many others are used meanwhile", () => {
  const kept = load(unique());
  for (let other = 0; other < 20; other++) evaluate(unique(), user);
  assert.deepEqual(copies(() => evaluate(kept, user)), { compiled: 0, loaded: 0 });
});

test("memory does not grow with the number of inputs that were used", () => {
  for (let other = 0; other < 30; other++) evaluate(unique(), user);
  const before = moduleMemory();
  for (let other = 0; other < 300; other++) evaluate(unique(), user);
  assert.equal(moduleMemory(), before);
});

/** The size of the module's memory in bytes, seen when something is copied into it. */
function moduleMemory() {
  const original = Uint8Array.prototype.set;
  let size;
  Uint8Array.prototype.set = function set(source, offset) {
    if (this.length >= 1 << 16) size = this.buffer.byteLength;
    return original.call(this, source, offset);
  };
  try {
    evaluate(unique(), user);
  } finally {
    Uint8Array.prototype.set = original;
  }
  assert.ok(size > 0);
  return size;
}
