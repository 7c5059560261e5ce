/** The native host beside V8's own functions. */
import { fromBits } from "./numbers.mjs";

const CHUNK = 10_000;
/** How many lines make a text of `compareLines`. */
const LINES = 500;
const SHOWN = 10;

const bits = new DataView(new ArrayBuffer(8));
export function bitsOf(number) {
  bits.setFloat64(0, number);
  return hex(bits.getUint32(0)) + hex(bits.getUint32(4));
}
const hex = (word) => word.toString(16).padStart(8, "0");
const ofBits = (text) => fromBits(Number.parseInt(text.slice(0, 8), 16), Number.parseInt(text.slice(8), 16));
const same = (text) => text;

/**
 * What the native host is asked of each kind: `v8` answers the same in JavaScript. `write` makes an input
 * fit for the question, `read` makes the answer a value.
 */
export const KINDS = {
  dates: { v8: (text) => Date.parse(text), write: same, read: ofBits },
  numbers: { v8: (text) => Number(text), write: same, read: ofBits },
  floats: { v8: (text) => Number.parseFloat(text), write: same, read: ofBits },
  lower: { v8: (text) => text.toLowerCase(), write: same, read: same },
  texts: { v8: (number) => String(number), write: bitsOf, read: same },
};

/** An input or answer in ASCII. */
export function shown(value) {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  const text = JSON.stringify(value).replace(/[^ -~]/gu, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
  return text.length > 300 ? `${text.slice(0, 200)}… (${value.length} characters)` : text;
}

/**
 * Asks the native host and V8 of every input.
 * @param oracle of `openOracle`
 * @param {keyof typeof KINDS} kind
 * @param {Iterable<string | number>} inputs
 * @param size how many inputs go to the native host at a time
 * @returns {Promise<{count: number, nan: number, different: {input, native, v8}[]}>} `nan`: V8's answers that are NaN
 */
export async function compare(oracle, kind, inputs, size = CHUNK) {
  const { v8, write, read } = KINDS[kind];
  const result = { count: 0, nan: 0, different: [] };
  let asked;
  for (const chunk of chunks(inputs, size)) {
    // The native host works on this chunk while V8 is asked of the one before.
    const next = { chunk, answers: oracle.ask({ [kind]: chunk.map(write) }) };
    if (asked) await settle(asked);
    asked = next;
  }
  if (asked) await settle(asked);
  return result;

  async function settle({ chunk, answers }) {
    const right = chunk.map(v8);
    const given = await answers;
    for (const [index, input] of chunk.entries()) {
      const native = read(given[index]);
      result.count += 1;
      result.nan += Number(Number.isNaN(right[index]));
      if (!Object.is(native, right[index])) result.different.push({ input, native, v8: right[index] });
    }
  }
}

/**
 * Compares texts as the lines of larger ones, which takes a fraction of the time. Only for answers in
 * which no line depends on another. Lines of texts that differ are asked again, each alone.
 */
export async function compareLines(oracle, kind, inputs) {
  let count = 0;
  const texts = function* () {
    for (const lines of chunks(inputs, LINES)) {
      count += lines.length;
      yield lines.join("\n");
    }
  };
  const { different } = await compare(oracle, kind, texts(), CHUNK / LINES);
  const alone = await compare(oracle, kind, different.flatMap(({ input }) => input.split("\n")));
  return { count, nan: 0, different: alone.different.length > 0 ? alone.different : different };
}

function* chunks(inputs, size) {
  let chunk = [];
  for (const input of inputs) {
    chunk.push(input);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Prints a comparison's count; throws if there was nothing to compare, or something differs. */
export function report(name, { count, nan, different }) {
  console.log(`native host: ${name}: ${count} compared with V8${nan > 0 ? `, ${nan} of them NaN` : ""}, ${different.length} differ`);
  if (count === 0) throw new Error(`${name}: nothing was compared`);
  if (different.length === 0) return;
  different.sort((a, b) => String(a.input).length - String(b.input).length);
  const lines = different.slice(0, SHOWN).map(({ input, native, v8 }) => `  ${shown(input)}\n    native ${shown(native)}\n    V8     ${shown(v8)}`);
  throw new Error(`${name}: ${different.length} of ${count} differ, such as\n${lines.join("\n")}`);
}
