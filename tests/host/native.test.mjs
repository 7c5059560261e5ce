/**
 * The native host beside the JavaScript host: dates, numbers, number texts and letter case, asked of
 * `NativeHost` through the engine's `oracle` example and of V8 in this process.
 *   CASES=1000000 SEED=7 node --test tests/host/native.test.mjs
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { buildOracle, openOracle } from "../differential/native.mjs";
import { randomOf } from "../differential/random.mjs";
import { dateTemplates, dateText } from "./dates.mjs";
import { compare, compareLines, report, shown } from "./hosts.mjs";
import { characters, letterTemplates, letterText, newerLetters } from "./letters.mjs";
import { anyNumber, numberTemplates, numberText } from "./numbers.mjs";

// The native host has no other time zone than UTC.
process.env.TZ = "UTC";

const seed = Number(process.env.SEED ?? 1);
/** Seeded inputs of a kind: its usual number, or as many as CASES says. */
const casesOf = (usual) => Number(process.env.CASES ?? usual);
const BMP = 0x10000;

let program;
let oracle;
let isNewer;
before(async () => {
  program = buildOracle();
  oracle = openOracle(program);
  isNewer = await newerLetters(oracle);
});
after(() => oracle.close());

function* seeded(kind, count, make) {
  const random = randomOf(seed, kind);
  for (let index = 0; index < count; index++) yield make(random);
}

function* filled(templates, all) {
  for (const character of all) for (const template of templates) yield template(character);
}

/** Seeded inputs, of which V8 must read a good part and refuse a good part. */
async function compareSeeded(kind, name, inputs) {
  const result = await compare(oracle, kind, inputs);
  report(`${name} of seed ${seed}`, result);
  const least = result.count / 10;
  assert.ok(result.nan > least && result.count - result.nan > least, `${result.nan} of ${result.count} are NaN: too few or too many to tell`);
}

/** DIFFERENCE: each host has the letters of its own Unicode version. Only those that V8's lacks may differ. */
function reportLetters(name, result) {
  const newer = result.different.filter(({ input }) => isNewer(input));
  if (newer.length > 0) console.log(`native host: ${name}: ${newer.length} differ because V8 has Unicode ${process.versions.unicode}: ${newer.map(({ input }) => shown(input)).join(" ")}`);
  report(name, { ...result, different: result.different.filter(({ input }) => !isNewer(input)) });
}

test("this process reads dates in UTC", () => {
  for (const [month, name] of [[0, "winter"], [6, "summer"]]) {
    assert.equal(new Date(2024, month, 1).getTimezoneOffset(), 0, `V8 does not use UTC in ${name}: start Node.js with TZ=UTC`);
  }
});

test("seeded dates are V8's", () => compareSeeded("dates", "dates", seeded(1, casesOf(80_000), dateText)));

test("seeded number texts are to Number what they are to V8's", () => compareSeeded("numbers", "Number(text)", seeded(2, casesOf(40_000), numberText)));

test("seeded number texts are to parseFloat what they are to V8's", () => compareSeeded("floats", "parseFloat(text)", seeded(3, casesOf(40_000), numberText)));

test("seeded numbers have V8's text", async () => report(`String(number) of seed ${seed}`, await compare(oracle, "texts", seeded(4, casesOf(60_000), anyNumber))));

test("seeded texts have V8's lower case", async () => reportLetters(`lower case of seed ${seed}`, await compare(oracle, "lower", seeded(5, casesOf(40_000), letterText))));

test("every character is to dates what it is to V8's", async () => {
  report("dates with any character behind", await compare(oracle, "dates", filled(dateTemplates.slice(0, 1), characters())));
  report("dates with any 16-bit character in them", await compare(oracle, "dates", filled(dateTemplates, characters(BMP))));
});

test("every 16-bit character is to numbers what it is to V8's", async () => {
  for (const kind of ["numbers", "floats"]) report(`${kind} with any 16-bit character in them`, await compare(oracle, kind, filled(numberTemplates, characters(BMP))));
});

test("every character has V8's lower case, and V8's effect on the lower case of a sigma", async () => {
  for (const template of letterTemplates) {
    reportLetters(`lower case of ${shown(template("x"))}, x any character`, await compareLines(oracle, "lower", filled([template], characters())));
  }
});

test("the native host's dates are UTC's wherever the machine is", async () => {
  const inputs = [...seeded(6, 2000, dateText), "2024-07-01T00:00", "7/1/2024", "1 Jan 1900 12:00"];
  for (const TZ of ["America/New_York", "Asia/Kolkata"]) {
    const elsewhere = openOracle(program, { ...process.env, TZ });
    try {
      report(`dates under TZ=${TZ}`, await compare(elsewhere, "dates", inputs));
    } finally {
      elsewhere.close();
    }
  }
});
