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
const ask = new vm.Script("askReference()");

/** What the reference says of one filter and several texts; `undefined` if V8 does not come to an end. */
function expected(filter, texts) {
  globalThis.askReference = () =>
    texts.map((text) => {
      try {
        return matchFeatureFlagProperty(filter, { [filter.key]: text });
      } catch (error) {
        if (error.name !== "InconclusiveMatchError") throw error;
        return "unsupported_definition";
      }
    });
  try {
    return ask.runInThisContext({ timeout: patienceMs });
  } catch (error) {
    if (error.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return undefined;
  } finally {
    delete globalThis.askReference;
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
  let [compared, endless] = [0, 0];
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
      const right = expected(filter, texts);
      if (!right) endless++;
      for (const [turn, outcome] of right?.entries() ?? []) {
        const { featureFlags, unresolved } = given[turn];
        const ours = unresolved[filter.key] ?? featureFlags[filter.key];
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        compared++;
        if (ours !== outcome) different.push({ operator: filter.operator, pattern: filter.value, text: texts[turn], right: outcome, ours });
      }
    }
  }
  console.log(`regex: ${compared} pairs of seed ${seed}: ${JSON.stringify(counts)}, ${different.length} differ; ${endless} patterns that V8 did not end`);
  different.sort((a, b) => a.pattern.length + a.text.length - b.pattern.length - b.text.length);
  assert.deepEqual(different.slice(0, 5), []);
  for (const outcome of ["true", "false", "unsupported_definition"]) {
    assert.ok(counts[outcome] > pairs / 50, `only ${counts[outcome]} pairs are ${outcome}`);
  }
});
