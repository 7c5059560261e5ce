/**
 * Regular expressions, asked of the npm package and of posthog-node's own matcher, which asks V8.
 *   CASES=1000000 SEED=7 node --test tests/host/regex.test.mjs
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { evaluate, evaluateFlag, load } from "flagpost";
import { cases } from "./patterns.mjs";

// The package exports this function of posthog-node's to nobody; it is asked without its client, which
// says only "unresolved" and would take many times as long.
const core = path.dirname(createRequire(import.meta.url).resolve("@posthog/core"));
const { matchFeatureFlagProperty } = await import(pathToFileURL(path.join(core, "featureFlagLocalEvaluation.mjs")).href);

const filterOf = (key, operator, value) => ({ key, operator, value, type: "person" });
const flagOf = (key, filter) => ({ key, active: true, filters: { groups: [{ properties: [filter], rollout_percentage: 100 }] } });
const loadFlags = (flags) => load({ flags, group_type_mapping: {}, cohorts: {} });

/** V8 backtracks: some seeded patterns keep it busy for minutes even with short texts. */
const patienceMs = 250;
const runWork = new vm.Script("patientWork()");

/** What `work` returns, `undefined` if V8 does not come to an end of it. */
function patiently(work) {
  globalThis.patientWork = work;
  try {
    return runWork.runInThisContext({ timeout: patienceMs });
  } catch (error) {
    if (error.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return undefined;
  } finally {
    delete globalThis.patientWork;
  }
}

/** What the reference says of one filter and a text. */
function expected(filter, text) {
  try {
    return matchFeatureFlagProperty(filter, { [filter.key]: text });
  } catch (error) {
    if (error.name !== "InconclusiveMatchError") throw error;
    return "unsupported_definition";
  }
}

/** Whether V8 reads a pattern, but gives it up while it searches: out of stack, or too large. */
function givesUp(pattern, text) {
  const expression = new RegExp(pattern);
  try {
    expression.test(text);
    return false;
  } catch {
    return true;
  }
}

/** What Flagpost says of one filter. */
function answer(pattern, text, operator = "regex") {
  const { value, unresolved } = evaluateFlag(loadFlags([flagOf("f", filterOf("p", operator, pattern))]), "f", {
    distinctId: "u",
    personProperties: { p: text },
  });
  return unresolved ?? value;
}

test("seeded patterns find in seeded texts what V8 finds", () => {
  const pairs = Number(process.env.CASES ?? 40_000);
  const seed = Number(process.env.SEED ?? 1);
  const next = cases(seed);
  const [perPattern, perRound] = [8, 100];
  const counts = {};
  const different = [];
  let [compared, endless, givenUp] = [0, 0, 0];
  while (compared < pairs) {
    const round = Array.from({ length: perRound }, () => next(perPattern));
    const filters = round.map(({ pattern }, index) => filterOf(`p${index}`, index % 4 === 0 ? "not_regex" : "regex", pattern));
    const definitions = loadFlags(filters.map((filter) => flagOf(filter.key, filter)));
    const given = Array.from({ length: perPattern }, (_, turn) => {
      const personProperties = Object.fromEntries(round.map(({ texts }, index) => [`p${index}`, texts[turn]]));
      return evaluate(definitions, { distinctId: "u", personProperties });
    });
    for (const [index, filter] of filters.entries()) {
      const { texts } = round[index];
      const right = patiently(() => texts.map((text) => expected(filter, text)));
      if (!right) endless++;
      for (const [turn, outcome] of right?.entries() ?? []) {
        const { featureFlags, unresolved } = given[turn];
        const ours = unresolved[filter.key] ?? featureFlags[filter.key];
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        compared++;
        if (ours === outcome) continue;
        if (outcome === "unsupported_definition" && givesUp(filter.value, texts[turn])) givenUp++;
        else different.push({ operator: filter.operator, pattern: filter.value, text: texts[turn], right: outcome, ours });
      }
    }
  }
  console.log(
    `regex: ${compared} pairs of seed ${seed}: ${JSON.stringify(counts)}, ${different.length} differ; ` +
      `V8 gave up ${givenUp} pairs that Flagpost decides, and did not end ${endless} patterns`,
  );
  different.sort((a, b) => a.pattern.length + a.text.length - b.pattern.length - b.text.length);
  assert.deepEqual(different.slice(0, 5), []);
  for (const outcome of ["true", "false", "unsupported_definition"]) {
    assert.ok(counts[outcome] > pairs / 50, `only ${counts[outcome]} pairs are ${outcome}`);
  }
});

/** Texts of 100,000 characters with what is found in them. V8 would not come to an end for most. */
const long = (unit, end = "") => unit.repeat(Math.ceil(100_000 / unit.length)).slice(0, 100_000 - end.length) + end;
const decided = [
  ["(a+)+$", long("a"), true],
  ["(a+)+$", long("a", "b"), false],
  ["^(a+)+$", long("a", "b"), false],
  ["(a|a)*b", long("a"), false],
  ["(a|a)*b", long("a", "b"), true],
  ["^(a|a)*$", long("a"), true],
  ["(a?){40}a{40}", long("a"), true],
  ["^(a?){40}a{40}$", long("a"), false],
  ["(a?){40}a{40}b", long(`${"a".repeat(39)}b`), false],
  ["(a?){40}a{40}b", long("a".repeat(39), "ab"), true],
  ["(.*)*x", long("a"), false],
  ["(.*)*x", long("a", "x"), true],
  ["(.*)*x$", long("x", "a"), false],
  ["((a*)*)*b", long("a"), false],
  ["(a|aa)+$", long("a", "b"), false],
  ["^([a-z]+)*@example\\.com$", long("a"), false],
];
for (const [pattern, text, found] of decided) {
  test(`${pattern} is decided for 100,000 characters that end in ${text.at(-1)}`, { timeout: 60_000 }, () => {
    assert.deepEqual([answer(pattern, text), answer(pattern, text, "not_regex")], [found, !found]);
  });
}

const captures = (count) => "()".repeat(count);
const nested = (open, count) => open.repeat(count) + ")".repeat(count);
/** Patterns at a limit: what V8 says of "aaaa", and Flagpost. */
const limits = {
  "the most counts V8 reads": ["^a{0,4294967295}$", true, true],
  "a count above that": ["a{4294967296}", "unsupported_definition", "unsupported_definition"],
  "counts that V8 cuts to the same": ["^a{2147483648,2147483647}", false, false],
  "counts in the wrong order": ["a{2147483648,2147483646}", "invalid", "invalid"],
  "a million repetitions": ["^(a{1000}){1000}$", false, false],
  "up to 10^12 repetitions": ["^(?:(?:a{0,10000}){0,10000}){0,10000}$", true, true],
  "250 groups in each other": [nested("(?:", 250), true, true],
  "251 groups in each other": [nested("(?:", 251), true, "unsupported_definition"],
  "20,000 captures in each other, too deep for V8": [nested("(", 20_000), "unsupported_definition", "unsupported_definition"],
  "more captures than V8 counts": [captures(32_768), "invalid", "invalid"],
  "a million open groups": ["(".repeat(1_000_000), "invalid", "invalid"],
  "65,536 bytes": [`^a|${"[ab]".repeat(16_383)}c`, true, true],
  "65,537 bytes": [`^a|${"[ab]".repeat(16_383)}cc`, true, "unsupported_definition"],
};
test("patterns at a limit have V8's answer or none", () => {
  for (const [name, [pattern, right, ours]] of Object.entries(limits)) {
    for (const operator of ["regex", "not_regex"]) {
      const wanted = (outcome) => (outcome === "invalid" ? false : typeof outcome === "string" ? outcome : outcome === (operator === "regex"));
      assert.equal(expected(filterOf("p", operator, pattern), "aaaa"), wanted(right), `V8: ${name}, ${operator}`);
      assert.equal(answer(pattern, "aaaa", operator), wanted(ours), `Flagpost: ${name}, ${operator}`);
    }
  }
});

test("what needs more work than the limits allow is unresolved, right below them it is decided", () => {
  for (const [pattern, text, outcome] of [
    ["^a{100000}$", long("a"), true],
    ["^a{200000}$", long("a"), false],
    ["^(?:a?){60000}$", "a".repeat(60_000), "unsupported_definition"],
    ["^(?:a?){4294967295}$", long("a"), "unsupported_definition"],
    ["(?:a?){1000}b", long("a"), "unsupported_definition"],
    ["(?:a?){1000}b", long("a").slice(0, 4000), false],
  ]) {
    assert.equal(answer(pattern, text), outcome, `${pattern} and ${text.length} characters`);
  }
});
