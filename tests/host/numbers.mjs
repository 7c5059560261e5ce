/** Seeded texts of numbers for `Number` and `parseFloat`, and numbers for `String`. */

const SPACES = [" ", "\t", "\n", "\v", "\f", "\r", "\u00a0", "\u1680", "\u2000", "\u2009", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"];
const NEARLY_SPACES = ["\u0085", "\u180e", "\u200b", "\u200d", "\u2060", "\0", "\u001c", "\u00ad"];
const SPLINTERS = ["0", "1", "9", ".", "-", "+", "e", "E", "x", "_", ",", "n", "f", "I", "\u0661", "\uff11", "\u2212", "\u{1d7d8}", "\u221e", " ", "0x", "e5", "NaN"];

const digits = (random, count, alphabet = "0123456789") => random.many(count, () => alphabet[random.below(alphabet.length)]).join("");
const sign = (random) => random.pick(["", "", "", "-", "+", "--", "- "]);
const exponent = (random) => random.one([3, () => ""], [3, () => random.pick(["e", "E"]) + random.pick(["", "-", "+"]) + random.below(400)], [1, () => `e${random.pick(["", "-", "+", "--5", "+-5", ".5", "_5", " 5"])}`], [0.5, () => `e${random.pick(["", "-"])}${digits(random, random.pick([4, 9, 10, 20, 60]))}`]);

function decimal(random) {
  const whole = digits(random, random.pick([0, 1, 1, 2, 5, 15, 16, 17, 20, 40]));
  const rest = digits(random, random.pick([0, 1, 2, 6, 16, 17, 30]));
  return random.one([3, () => whole], [5, () => `${whole}.${rest}`], [1, () => `${"0".repeat(random.below(30))}${whole}`], [1, () => `.${"0".repeat(random.below(330))}${rest}`]) + exponent(random);
}

function radix(random) {
  const [prefix, alphabet, above] = random.pick([["0x", "0123456789abcdefABCDEF", "g"], ["0o", "01234567", "8"], ["0b", "01", "2"], ["0X", "0123456789abcdefABCDEF", "G"], ["0O", "01234567", "9"], ["0B", "01", "3"]]);
  const body = random.one(
    [4, () => digits(random, random.between(0, 20), alphabet)],
    [3, () => digits(random, random.between(20, 80), alphabet)],
    // A one, zeros, and little more: close to half way between two numbers.
    [3, () => alphabet[1] + digits(random, random.between(50, 54), "01") + "0".repeat(random.between(0, 80)) + random.pick(["", "0", "1"])],
    [0.3, () => digits(random, random.pick([255, 256, 257, 341, 342, 1023, 1024, 1025, 1100]), alphabet)],
    [0.5, () => digits(random, 3, alphabet) + above],
  );
  return prefix + body;
}

/** A finite number of random bits, or one next to a power of two or ten. */
export function anyNumber(random) {
  return random.one(
    [6, () => fromBits(random.below(4294967296), random.below(4294967296))],
    [2, () => fromBits(random.below(2048) * 1048576, random.pick([0, 1, 4294967295]))],
    [2, () => neighbour(Number(`1e${random.between(-324, 308)}`), random.between(-2, 2))],
    [2, () => random.below(2 ** 32) * random.pick([1, 0.001, 1e-7, 2 ** 21, 1e10, 0.1])],
    [1, () => random.between(1, 999_999) / random.pick([10, 100, 1000, 3, 7])],
    [1, () => neighbour(random.pick([1e21, 1e-6, 1e-7, 2 ** 53, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 9007199254740993, 123456789012345680000]), random.between(-3, 3))],
    [1, () => fromBits(0, random.below(2 ** random.between(1, 32)))],
    [0.2, () => random.pick([0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])],
  );
}

const bits = new DataView(new ArrayBuffer(8));
export function fromBits(high, low) {
  bits.setUint32(0, high);
  bits.setUint32(4, low);
  return bits.getFloat64(0);
}

/** The number some steps up or down in the order of numbers. */
function neighbour(number, steps) {
  bits.setFloat64(0, number);
  bits.setBigUint64(0, bits.getBigUint64(0) + BigInt(steps));
  return bits.getFloat64(0);
}

/** All digits of the middle between a number and its next, at times with one digit changed far behind. */
function halfway(random) {
  const number = Math.abs(random.one([3, () => anyNumber(random)], [2, () => 2 ** 53 + 2 * random.below(1000)], [2, () => fromBits(0, random.below(100))], [1, () => Number.MAX_VALUE], [1, () => fromBits(0x000fffff, 0xffffffff)]));
  if (!Number.isFinite(number)) return String(number);
  bits.setFloat64(0, number);
  const whole = bits.getBigUint64(0);
  const [power, mantissa] = [Number(whole >> 52n), whole & 0xfffffffffffffn];
  // number = significand * 2^scale; the middle is (2 * significand + 1) * 2^(scale - 1)
  const significand = power === 0 ? mantissa : mantissa | 0x10000000000000n;
  const scale = Math.max(power, 1) - 1075 - 1;
  const middle = 2n * significand + 1n;
  let text = scale >= 0 ? String(middle << BigInt(scale)) : pointed(String(middle * 5n ** BigInt(-scale)), -scale);
  if (random.chance(0.3)) text += text.includes(".") ? `${"0".repeat(random.below(60))}1` : `.${"0".repeat(random.below(60))}1`;
  if (random.chance(0.3)) text = text.slice(0, random.between(1, text.length));
  return text;
}

function pointed(digits, decimals) {
  const padded = digits.padStart(decimals + 1, "0");
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

const word = (random) => random.pick(["Infinity", "Infinity", "infinity", "INFINITY", "Inf", "inf", "Infinityx", "Infinity0", "Infinit", "NaN", "nan", "null", "true", "undefined", "", ".", "..", "e5", ".e5", "1n", "1_0", "0_1", "1__0", "1,000", "5px", "1e1e1", "0x", "0x_1", "0x1p3", "1.5.5", "08", "010", "1f", "1d", "#1", "0xg", "١٢", "１２", "½", "∞", "1e", "1e+", "+", "-", "+-1"]);

/** A text for `Number` and for `parseFloat`. @param random of `randomOf` */
export function numberText(random) {
  let text = sign(random) + random.one([6, () => decimal(random)], [3, () => radix(random)], [3, () => halfway(random)], [2, () => String(anyNumber(random))], [2, () => word(random)], [0.3, () => decimal(random) + digits(random, 400)], [0.3, () => `0.${digits(random, random.between(700, 800))}${exponent(random)}`]);
  if (random.chance(0.15)) {
    const at = random.below(text.length + 1);
    text = text.slice(0, at) + random.one([5, () => random.pick(SPLINTERS)], [1, () => random.pick(SPACES)], [1, () => random.pick(NEARLY_SPACES)], [2, () => ""]) + text.slice(at + random.below(2));
  }
  const around = () => random.one([8, () => ""], [2, () => random.many(random.between(1, 3), () => random.pick(SPACES)).join("")], [0.3, () => random.pick(NEARLY_SPACES)]);
  return (around() + text + around()).toWellFormed();
}

/** Texts with a place where any character may stand. */
export const numberTemplates = [(character) => `${character}5`, (character) => `5${character}`, (character) => `5${character}5`, (character) => `-${character}5`, (character) => `0x5${character}`, (character) => `${character}Infinity${character}`];
