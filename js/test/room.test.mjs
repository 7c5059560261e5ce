/** The room for requests in the evaluator's memory, whose address is kept from call to call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag, load } from "flagpost";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";

const sample = definitions(
  flag("pro", [filter("plan", "starts_with", "pro")]),
  flag("ends", [filter("plan", "ends_with", "!")]),
  flag("lower", [filter("plan", "icontains", "PRO")]),
  flag("fresh", [filter("joined", "is_date_after", "2020-01-01")]),
);
const fresh = () => load(bytesOf({ ...sample, nonce: Math.random() }));
const userOf = (plan, more) => ({ distinctId: "u", personProperties: { plan, joined: "1 May 2024", ...more } });
const expected = (plan) => ({ pro: plan.toLowerCase().startsWith("pro"), ends: plan.endsWith("!"), lower: plan.toLowerCase().includes("pro"), fresh: true });

function assertAnswers(loaded, plan) {
  assert.deepEqual(evaluate(loaded, userOf(plan)).featureFlags, expected(plan), `all, ${plan.length}`);
  for (const [key, value] of Object.entries(expected(plan))) assert.equal(evaluateFlag(loaded, key, userOf(plan)).value, value, `${key}, ${plan.length}`);
}

test("users of every size in any order are answered by the same definitions", () => {
  const loaded = fresh();
  const lengths = [0, 1, 900, 1020, 1021, 1022, 1023, 1024, 1025, 5000, 0, 1 << 20, 3, (1 << 20) - 64, (1 << 20) + 1, 5 << 20, 7, 2 << 20, 900];
  for (const length of lengths) {
    assertAnswers(loaded, "PRO".padEnd(length, "x"));
    assertAnswers(loaded, `pro${"x".repeat(length)}!`);
  }
});

/** A user whose plan does something when it is read, in the middle of being written down. */
function userDoing(work, plan) {
  const get = () => {
    work();
    return plan;
  };
  const personProperties = Object.defineProperties({ joined: "1 May 2024" }, { plan: { get, enumerable: true } });
  return { distinctId: "u", personProperties };
}

const works = {
  "evaluate flags of the same definitions": (loaded) => assertAnswers(loaded, "no"),
  "evaluate flags for so large a user that the memory grows and the room moves": (loaded) => assertAnswers(loaded, "pro".padEnd(3 << 20)),
  "load other definitions": () => assertAnswers(fresh(), "pro!"),
  "free other definitions": () => fresh().free(),
  "make the evaluator break off": (loaded) => {
    const original = Date.parse;
    Date.parse = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    try {
      assert.throws(() => evaluate(loaded, userOf("pro")), { code: "trap" });
    } finally {
      Date.parse = original;
    }
  },
  "throw": (loaded) => {
    const user = userDoing(() => { throw new Error("no plan"); }, "");
    assert.throws(() => evaluate(loaded, user), { message: "no plan" });
  },
};

for (const [name, work] of Object.entries(works)) {
  test(`a user's getters may ${name}`, () => {
    const loaded = fresh();
    for (let round = 0; round < 3; round++) {
      for (const plan of ["pro!", "no", "x".repeat(2000)]) {
        const user = userDoing(() => work(loaded), plan);
        assert.deepEqual(evaluate(loaded, user).featureFlags, expected(plan));
        for (const [key, value] of Object.entries(expected(plan))) assert.equal(evaluateFlag(loaded, key, user).value, value, key);
        assert.deepEqual(evaluate(loaded, user, { flagKeys: ["ends", "pro"] }).featureFlags, { ends: expected(plan).ends, pro: expected(plan).pro });
      }
      assertAnswers(loaded, "pro!");
    }
  });
}
