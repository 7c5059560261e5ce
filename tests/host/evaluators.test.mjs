/**
 * Both hosts as the evaluator asks them: seeded texts on either side of filters, answered natively, by the
 * npm package and, computed from V8's own functions, as they must be.
 *   CASES=100000 SEED=7 node --test tests/host/evaluators.test.mjs
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { evaluate, evaluateFlag, load } from "flagpost";
import { buildOracle, openOracle, questionOf } from "../differential/native.mjs";
import { randomOf } from "../differential/random.mjs";
import { dateText } from "./dates.mjs";
import { shown } from "./hosts.mjs";
import { letterText, newerLetters } from "./letters.mjs";
import { anyNumber, numberText } from "./numbers.mjs";

// The native host has no other time zone than UTC.
process.env.TZ = "UTC";

const seed = Number(process.env.SEED ?? 1);
const now = Date.UTC(2024, 5, 15);
/** Questions that go into one set of definitions. */
const ROUND = 500;
const RELATIVE = /^-?\d+[hdwmy]$/;
/** What an answer without a value is compared as. */
const UNRESOLVED = "unresolved";

let oracle;
before(() => (oracle = openOracle(buildOracle())));
after(() => oracle.close());

const conditionOf = ({ operator, value, rollout = 100 }, key) => ({ properties: operator ? [{ key, operator, value, type: "person" }] : [], rollout_percentage: rollout });
const definitionsOf = (questions) => ({
  flags: questions.map((question, index) => ({ key: `f${index}`, active: true, filters: { groups: [conditionOf(question, `p${index}`)] } })),
  group_type_mapping: {},
  cohorts: {},
});
const outcomeOf = (answer) => ("value" in answer ? answer.value : UNRESOLVED);

/** The answers of the npm package and of the native evaluator to questions `{operator, value, property}` or `{rollout}`. */
async function answersTo(questions) {
  const text = JSON.stringify(definitionsOf(questions));
  const user = { distinctId: "u", personProperties: Object.fromEntries(questions.map(({ property }, index) => [`p${index}`, property])) };
  const [native] = await oracle.answers(questionOf({ text, now, users: [user] }));
  const definitions = load(text);
  const { featureFlags, unresolved } = evaluate(definitions, user, { now: new Date(now) });
  definitions.free();
  return questions.map((_, index) => ({ native: outcomeOf(native[index]), package: Object.hasOwn(unresolved, `f${index}`) ? UNRESOLVED : featureFlags[`f${index}`] }));
}

/** Asks until there are enough, and compares with what each question expects. */
async function compareAnswers(name, usual, make) {
  const count = Number(process.env.CASES ?? usual);
  const random = randomOf(seed, ...Buffer.from(name));
  const outcomes = {};
  const different = [];
  let asked = 0;
  while (asked < count) {
    const questions = [];
    while (questions.length < ROUND) questions.push(...make(random));
    for (const [index, answers] of (await answersTo(questions)).entries()) {
      const { expected, ...question } = questions[index];
      outcomes[expected] = (outcomes[expected] ?? 0) + 1;
      asked += 1;
      if (answers.native !== expected || answers.package !== expected) different.push({ question, expected, ...answers });
    }
  }
  console.log(`both hosts: ${name} of seed ${seed}: ${asked} answers ${JSON.stringify(outcomes)}, ${different.length} differ`);
  assert.ok(asked > 0, "nothing was compared");
  assert.ok(Object.keys(outcomes).length > 1, "one outcome only: this tells nothing");
  const lines = different.slice(0, 5).map(({ question, ...answers }) => `${shown(JSON.stringify(question))} ${JSON.stringify(answers)}`);
  assert.deepEqual(lines, [], `${different.length} differ`);
}

/** Any text, at times with half a surrogate pair in it. */
function torn(random, text) {
  if (!random.chance(0.1)) return text;
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(["\ud800", "\udbff", "\udc00", "\udfff"]) + text.slice(at);
}

test("a date of a text is V8's to the millisecond, in the filter and in the property", () =>
  compareAnswers("dates", 20_000, (random) => {
    const text = torn(random, dateText(random));
    const time = Date.parse(text);
    if (Number.isNaN(time)) {
      const refused = { operator: "is_date_after", expected: UNRESOLVED };
      const inFilter = RELATIVE.test(text) ? [] : [{ ...refused, value: text, property: "2000-01-01" }];
      return [...inFilter, { ...refused, value: "2000-01-01", property: text }];
    }
    // Towards the epoch, because beyond the last date there is none.
    const [operator, opposite, near] = time < 0 ? ["is_date_before", "is_date_after", time + 1] : ["is_date_after", "is_date_before", time - 1];
    const iso = (ms) => new Date(ms).toISOString();
    const inProperty = [
      { operator, value: iso(near), property: text, expected: true },
      { operator, value: iso(time), property: text, expected: false },
    ];
    if (RELATIVE.test(text)) return inProperty;
    return [...inProperty, { operator: opposite, value: text, property: near, expected: true }, { operator: opposite, value: text, property: time, expected: false }];
  }));

test("a number that a text begins with is V8's, in the filter and in the property", () =>
  compareAnswers("parseFloat", 20_000, (random) => {
    const text = torn(random, numberText(random));
    const number = Number.parseFloat(text);
    if (!Number.isFinite(number)) {
      return [
        { operator: "gt", value: text, property: 0, expected: "0" > text },
        { operator: "gt", value: 0, property: text, expected: text > "0" },
      ];
    }
    return ["gte", "lte", "gt", "lt"].flatMap((operator) => [
      { operator, value: text, property: number, expected: operator.endsWith("e") },
      { operator, value: number, property: text, expected: operator.endsWith("e") },
    ]);
  }));

test("a rollout written as a text is the number that V8 makes of it", async () => {
  const random = randomOf(seed, 10);
  const shares = () => random.one([2, () => numberText(random)], [2, () => random.pick(["", " ", "\u2028"]) + 100 * random.next()], [1, () => `0x${random.below(0x70).toString(16)}`]);
  const texts = random.many(5000, shares);
  // JSON has no infinity and no NaN, but texts for them that leave no doubt.
  const numbers = texts.map(Number).map((number) => (Number.isFinite(number) ? number : String(number)));
  const given = await answersTo(texts.map((rollout) => ({ rollout })));
  const wanted = await answersTo(numbers.map((rollout) => ({ rollout })));
  const enabled = wanted.filter(({ native }) => native).length;
  console.log(`both hosts: Number of a rollout's text: ${texts.length} answers, ${enabled} of them true`);
  assert.ok(enabled > 500 && enabled < 4500, `${enabled} of ${texts.length} are true: too few or too many to tell`);
  const different = texts.filter((_, index) => given[index].native !== wanted[index].native || given[index].package !== wanted[index].native);
  assert.deepEqual(different.map(shown), []);
});

test("texts that V8 lower-cases to the same are exactly the same", async () => {
  // DIFFERENCE: each host has the letters of its own Unicode version.
  const isNewer = await newerLetters(oracle);
  await compareAnswers("lower case", 20_000, (random) => {
    const text = letterText(random);
    if (isNewer(text)) return [];
    const others = [text.toLowerCase(), text.toUpperCase(), text.replaceAll("Σ", "ς"), text.replaceAll("Σ", "σ")];
    return others.flatMap((other) => {
      const expected = other.toLowerCase() === text.toLowerCase();
      return [
        { operator: "exact", value: text, property: other, expected },
        { operator: "exact", value: other, property: text, expected },
      ];
    });
  });
});

test("a number has V8's text", () =>
  compareAnswers("String(number)", 10_000, (random) => {
    const number = anyNumber(random);
    const text = String(number);
    const pattern = (written) => `^${written.replace(/[.+]/g, "\\$&")}$`;
    const questions = [
      { operator: "regex", value: pattern(text), property: number, expected: true },
      { operator: "regex", value: pattern(`${text}0`), property: number, expected: false },
    ];
    // The reference compares other numbers only as numbers.
    if (!Number.isFinite(number) || Number.isInteger(number)) return questions;
    return [...questions, { operator: "exact", value: text, property: number, expected: true }, { operator: "exact", value: number, property: text, expected: true }, { operator: "exact", value: text, property: -number, expected: false }];
  }));

/** Answers with `answer` wherever the package asks `holder[name]` of `input`, while `work` runs. */
function planted(holder, name, input, answer, work) {
  const real = holder[name];
  const asks = (self, args) => Object.is(holder === String.prototype ? String(self) : args[0], input);
  holder[name] = new Proxy(real, { apply: (target, self, args) => (asks(self, args) ? answer : Reflect.apply(target, self, args)) });
  try {
    return work();
  } finally {
    holder[name] = real;
  }
}

const asked = [
  { name: "Date.parse", holder: Date, member: "parse", input: "5/1/2022", answer: 0, question: { operator: "is_date_before", value: "5/1/2022", property: "1999-01-01" } },
  { name: "parseFloat", holder: globalThis, member: "parseFloat", input: "8px", answer: 6, question: { operator: "gt", value: 7, property: "8px" } },
  { name: "Number", holder: globalThis, member: "Number", input: " 0x64 ", answer: -1, question: { rollout: " 0x64 " } },
  { name: "toLowerCase", holder: String.prototype, member: "toLowerCase", input: "É", answer: "e", question: { operator: "exact", value: "É", property: "é" } },
  { name: "String", holder: globalThis, member: "String", input: 0.123, answer: "no", question: { operator: "exact", value: "0.123", property: 0.123 } },
];
for (const { name, holder, member, input, answer, question } of asked) {
  test(`the package asks ${name} of JavaScript`, () => {
    const ask = () => {
      const definitions = load(JSON.stringify(definitionsOf([question])));
      const { value } = evaluateFlag(definitions, "f0", { distinctId: "u", personProperties: { p0: question.property } }, { now: new Date(now) });
      definitions.free();
      return value;
    };
    assert.equal(ask(), true);
    assert.equal(planted(holder, member, input, answer, ask), false);
    assert.equal(ask(), true);
  });
}
