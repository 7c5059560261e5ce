/** Payloads, which are parsed once or twice and copied from then on: nobody can tell. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate, evaluateFlag } from "flagpost";
import { definitions, flag } from "./definitions.mjs";

const nested = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

const texts = {
  "a text": '"hello"',
  "a number": "1.5",
  "an object": '{"title":"Hello","list":[1,{"deep":true},[]],"none":null,"zero":-0}',
  "an object with numbers for names": '{"b":1,"2":{"x":[]},"1":[2],"a":2}',
  "an object with __proto__": '{"a":1,"__proto__":{"polluted":[1]},"constructor":{"prototype":{}}}',
  "an object with a name twice": '{"a":{"b":1},"a":{"c":[1]}}',
  "a list": '[{"a":[1]},"b",[[],{}],null,1.5]',
  "an empty object": "{}",
  "an empty list": "[]",
  "31 levels": nested(31),
  "32 levels": nested(32),
  "33 levels": nested(33),
  "1,500 levels": nested(1500),
  "as many objects as are copied": `[${Array(31).fill("{}")}]`,
  "one object more": `[${Array(32).fill("{}")}]`,
  "a long text": JSON.stringify({ list: Array.from({ length: 2000 }, (_, index) => ({ index })) }),
  "a lone surrogate": '{"a":["\\ud800"]}',
};

/** Changes everything there is to change. */
function ruin(value) {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    if (Object.keys(value[key] ?? {}).length < 100) ruin(value[key]);
    delete value[key];
  }
  value.ruined = true;
}

/** As text, since nothing compares 1,500 levels and the order of names. */
const seen = (value) => [JSON.stringify(value), Object.getOwnPropertyNames(value ?? {})];

for (const [name, text] of Object.entries(texts)) {
  test(`a payload of ${name} is the same however often it is read, and nobody's changes reach others`, () => {
    const sample = definitions(flag("one", [], { payloads: { true: text } }), flag("two", [], { payloads: { true: text } }));
    const user = { distinctId: "u" };
    const expected = seen(JSON.parse(text));
    for (let round = 0; round < 6; round++) {
      const { payload } = evaluateFlag(sample, "one", user);
      const { one, two } = evaluate(sample, user).featureFlagPayloads;
      const read = JSON.parse(text) ? [payload, one, two] : [payload];
      for (const value of read) assert.deepEqual(seen(value), expected, `round ${round}`);
      if (typeof payload === "object" && payload !== null && text.length < 1000) {
        assert.deepStrictEqual(payload, JSON.parse(text));
        assert.equal(Object.getPrototypeOf(payload), Array.isArray(payload) ? Array.prototype : Object.prototype);
      }
      for (const value of read) ruin(value);
    }
    assert.equal({}.polluted, undefined);
  });
}
