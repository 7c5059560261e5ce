/** What `flagpost types` writes, held to what the evaluator answers, by TypeScript's own compiler. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { evaluate, evaluateFlag, load } from "flagpost";
import { documentOf } from "../../tests/differential/documents.mjs";
import { randomOf } from "../../tests/differential/random.mjs";
import { filterValue } from "../../tests/differential/values.mjs";
import { FIXTURE_USERS } from "../../tests/support/users.mjs";
import { folder, typesOf } from "./cli.mjs";
import { declarationsOf } from "./cli-parts.mjs";

const FIXTURES = readFileSync(new URL("../../tests/fixtures/definitions.json", import.meta.url), "utf8");
const CLIENT = fileURLToPath(new URL("../src/flags/types.ts", import.meta.url));
const IDS = 40;

/** A value of JSON as an expression of TypeScript. */
function expression(value) {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(expression).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, member]) => `[${JSON.stringify(key)}]: ${expression(member)}`).join(", ")} }`;
}

/** All that the evaluator answers for the flags: key -> expressions of values and of payloads. */
function answersOf(definitions, users, { contexts, now = 0 } = {}) {
  const loaded = load(definitions, { evaluationContexts: contexts });
  const found = new Map(loaded.flagKeys.map((key) => [key, { values: new Set(), payloads: new Set() }]));
  for (const user of users) {
    const options = { now: new Date(now) };
    for (const [key, value] of Object.entries(evaluate(loaded, user, options).featureFlags)) {
      // A malformed variant's key, -1 say, is answered as it is, and is what no type of the package allows.
      if (typeof value === "boolean" || typeof value === "string") found.get(key).values.add(JSON.stringify(value));
    }
    for (const [key, { payloads }] of found) {
      const answer = evaluateFlag(loaded, key, user, options);
      if (answer !== undefined && "payload" in answer) payloads.add(expression(answer.payload));
    }
  }
  loaded.free();
  return found;
}

/** Each user under several ids, so that shares of users are met. */
function manyOf(users, random) {
  return users.flatMap((user) => [user, ...random.many(IDS, (index) => ({ ...user, distinctId: `${user.distinctId}-${index}`, personProperties: { ...user.personProperties, $device_id: `device-${index}` } }))]);
}

/** The definitions with more of JSON in their payloads. */
function withPayloads(random, definitions) {
  for (const flag of definitions.flags) {
    const payloads = flag?.filters?.payloads;
    if (typeof payloads !== "object" || payloads === null) continue;
    for (const key of Object.keys(payloads)) {
      if (random.chance(0.7)) payloads[key] = JSON.stringify(filterValue(random, random.pick(["object", "object", "array", "null", "integer"])));
    }
  }
  return definitions;
}

/** The definitions as they may be later: switched on, everybody let in, which no type depends on. */
function opened(definitions) {
  for (const flag of definitions.flags) {
    if (typeof flag !== "object" || flag === null) continue;
    Object.assign(flag, { active: true, ensure_experience_continuity: false });
    if (!Array.isArray(flag.filters?.groups)) continue;
    for (const group of flag.filters.groups) if (group) Object.assign(group, { properties: [], rollout_percentage: 80 });
  }
  return definitions;
}

/** Lines that compile only if the types of a module allow what was answered. */
function linesOf(module, answers) {
  const lines = [`import type { Flags as ${module} } from "./${module}.js";`];
  for (const [key, { values, payloads }] of answers) {
    const type = `${module}[${JSON.stringify(key)}]`;
    for (const value of values) lines.push(`is<${type}["value"]>(${value});`);
    for (const payload of payloads) lines.push(`is<${type}["payload"]>(${payload});`);
  }
  return lines;
}

const IS = "declare function is<T>(value: T): void;";

test("of 240 random definitions every value and payload is within the type of its flag, also once all are let in", async (context) => {
  const { write, tsc } = folder(context);
  const random = randomOf(11);
  const lines = [IS];
  const counts = { flags: 0, values: 0, payloads: 0, narrow: 0 };
  const hold = (module, declared, answers) => {
    write(`${module}.d.ts`, declared);
    lines.push(...linesOf(module, answers));
    for (const [key, { values, payloads }] of answers) {
      counts.flags++;
      counts.values += values.size;
      counts.payloads += payloads.size;
      counts.narrow += /boolean|string/.test(typesOf(declared, JSON.stringify(key))?.value ?? "string") ? 0 : 1;
    }
  };
  for (let number = 0; number < 360; number++) {
    const { topic, definitions, users, contexts, now } = documentOf(20, number);
    if (topic === "filters") continue;
    const text = JSON.stringify(withPayloads(random, definitions));
    const answered = (asked) => answersOf(JSON.stringify(asked), manyOf(users, random), { contexts, now });
    const off = declarationsOf(JSON.parse(text).flags, { offIsFalse: true });
    const declared = declarationsOf(JSON.parse(text).flags, { offIsFalse: false });
    hold(`off${number}`, off, answered(JSON.parse(text)));
    hold(`on${number}`, declared, answered(opened(JSON.parse(text))));
    // What cannot be told is only ever the fault of what is malformed.
    if (topic === "flags") assert.doesNotMatch(declared, /value: .*string;/);
  }
  write("proof.ts", lines.join("\n"));
  assert.equal(await tsc({}, "proof.ts"), "");
  assert.ok(counts.flags > 1500 && counts.values > 2500 && counts.payloads > 200 && counts.narrow > 500, JSON.stringify(counts));
});

test("the proof fails for a value, and for a payload, that a type lacks", async (context) => {
  const { write, tsc } = folder(context);
  const definitions = JSON.stringify({ flags: [{ key: "f", active: true, filters: { groups: [{}], multivariate: { variants: [{ key: "a", rollout_percentage: 100 }] }, payloads: { a: '{"x":1}' } } }] });
  const declared = declarationsOf(JSON.parse(definitions).flags, { offIsFalse: false });
  write("proof.ts", [IS, ...linesOf("d", answersOf(definitions, [{ distinctId: "u" }]))].join("\n"));
  for (const [part, other, fails] of [['"a"', '"a"', false], ['"a"', '"b"', true], ['{ "x": number }', '{ "x": string }', true]]) {
    write("d.d.ts", declared.replace(part, other));
    const complaints = await tsc({}, "proof.ts");
    assert.equal(/^proof\.ts\(\d+,\d+\): error TS23\d\d: .*not assignable/m.test(complaints), fails, complaints);
  }
});

test("the fixtures' types hold what is answered, fit the client's, and compile under every strict option", async (context) => {
  const { write, flagpost, tsc } = folder(context);
  write("definitions.json", FIXTURES);
  await flagpost(["types", "definitions.json", "-o", "flags.d.ts"]);
  const answers = answersOf(FIXTURES, manyOf(FIXTURE_USERS, randomOf(12)), undefined, Date.now());
  write("proof.ts", [IS, ...linesOf("flags", answers)].join("\n"));
  write("use.ts", `
import type { Flags as Client } from ${JSON.stringify(CLIENT)};
import type { Flags } from "./flags.js";

declare const client: Client<Flags>;
const flags = await client.forUser({ distinctId: "u" });
const theme: boolean = flags.isEnabled("dark-theme");
const page: false | "annual-first" | "control" | "three-tiers" | undefined = flags.getFeatureFlag("pricing-experiment");
const steps: number | undefined = flags.getFeatureFlagPayload("checkout-redesign")?.steps;
export { theme, page, steps };
// @ts-expect-error there is no such flag
flags.isEnabled("dark-them");
// @ts-expect-error there is no such variant
flags.getFeatureFlag("pricing-experiment", "four-tiers");
// @ts-expect-error the payload has no such member
flags.getFeatureFlagPayload("checkout-redesign")?.step;
`);
  const more = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true, allowImportingTsExtensions: true, skipLibCheck: false, module: "ESNext", moduleResolution: "Bundler", lib: ["ES2022", "DOM"] };
  assert.equal(await tsc(more, "proof.ts", "use.ts"), "");
});

test("any key can be asked for by its own text", async (context) => {
  const { write, tsc } = folder(context);
  const keys = ["", "1", "__proto__", "constructor", "a.b", 'quote"', "back\\slash", "*/", "line\nbreak", "\u2028", "a\ud800", "\u202e", "😀", "é", "${x}", "`", "x".repeat(500)];
  const flags = keys.map((key) => ({ key, name: key, active: true, filters: { groups: [], multivariate: { variants: [{ key: `${key} variant`, rollout_percentage: 100 }] }, payloads: { [`${key} variant`]: JSON.stringify({ [key]: 1 }) } } }));
  const declared = declarationsOf(flags, { offIsFalse: false });
  write("flags.d.ts", declared);
  write("use.ts", [
    `import type { Flags as Client } from ${JSON.stringify(CLIENT)};`,
    'import type { Flags } from "./flags.js";',
    'declare const flags: Awaited<ReturnType<Client<Flags>["forUser"]>>;',
    ...keys.flatMap((key) => [
      `flags.getFeatureFlag(${JSON.stringify(key)}) satisfies false | ${JSON.stringify(`${key} variant`)} | undefined;`,
      `flags.getFeatureFlagPayload(${JSON.stringify(key)})?.[${JSON.stringify(key)}]?.toFixed();`,
    ]),
  ].join("\n"));
  assert.equal(await tsc({ allowImportingTsExtensions: true, moduleResolution: "Bundler", module: "ESNext", lib: ["ES2022", "DOM"] }, "use.ts"), "");
  // Nothing that cannot be seen, no line that a key began.
  assert.doesNotMatch(declared, /[^\n\P{C}]|[\u2028\u2029\u202e]/u);
  assert.equal(declared.match(/\n {2}"/g).length, keys.length);
});
