/** Seeded date texts: the ISO profile, what V8's lenient reader takes besides, and texts near both. */

const pad = (number, width = 2) => String(number).padStart(width, "0");
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Mon", "Tuesday", "wed", "THU", "Fri.", "Saturday", "S", "Someday"];
const ZONES = ["Z", "z", "UT", "UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "utc", "gmt", "Est", "CET", "BST", "UTCX", "GM", "A", "T"];
const ODD = ["\u0660", "\u0661", "\u06f5", "\uff11", "\uff0d", "\u2212", "\u2013", "\u00ad", "\u00a0", "\u1680", "\u180e", "\u2007", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", "\u0085", "\t", "\n", "\v", "\f", "\r", "\0", "\u0130", "\u017f", "\u212a", "\u{1d7d8}", "\u{1f4c5}", "\ufffd", "é", "@", "[", "`", "{", "~", "\x7f"];
const SPLINTERS = ["0", "1", "9", "00", "12", "24", "31", "59", "60", "99", "-", "+", ":", ".", ",", "/", " ", "  ", "(", ")", "()", "T", "Z", "t", "z", "am", "PM", "E", "Jan", "GMT", "_", "'", "="];

/** A number of a part of a date: mostly within its range, at times one beyond it or written oddly. */
function part(random, least, most, width) {
  const value = random.one([6, () => random.between(least, most)], [1, () => random.pick([least, most])], [1, () => random.pick([least - 1, most + 1])]);
  return random.one([20, () => pad(Math.max(value, 0), width)], [1, () => String(value)], [1, () => pad(Math.max(value, 0), width + 1)]);
}

const digits = (random, count) => random.many(count, () => random.below(10)).join("");
const fraction = (random) => random.one([3, () => digits(random, random.between(1, 4))], [3, () => digits(random, random.between(1, 20))], [1, () => "0".repeat(random.between(0, 12)) + digits(random, random.between(0, 9))]);

function year(random) {
  return random.one(
    [12, () => String(random.between(1900, 2100))],
    [2, () => pad(random.below(10_000), 4)],
    [1, () => digits(random, random.between(1, 7))],
    [2, () => random.pick(["+", "-"]) + pad(random.one([2, () => random.below(1_000_000)], [1, () => random.between(270_000, 280_000)], [1, () => random.pick([0, 1, 271_820, 271_821, 271_822, 275_759, 275_760, 275_761, 999_999])]), 6)],
    [1, () => random.pick(["0000", "9999", "10000", "000001", "+0000", "-2024", "99", "100"])],
  );
}

const clock = (random) =>
  part(random, 0, 23, 2) + random.one([12, () => ":"], [1, () => ""], [1, () => "."]) + part(random, 0, 59, 2) +
  random.one([4, () => ""], [4, () => `:${part(random, 0, 59, 2)}`], [6, () => `:${part(random, 0, 59, 2)}${random.one([9, () => "."], [1, () => random.pick([",", ":", ". ", ".."])])}${fraction(random)}`]);

const midnight = (random) => `24:${random.pick(["00", "00", "00", "01"])}${random.pick(["", ":00", ":00.0", ":00.000", ":01", ":00.001", ":00.0000000000", ":00.0000000001"])}`;

const offset = (random) =>
  random.pick(["+", "-", "+", "-", "\u2212"]) +
  random.one(
    [6, () => `${part(random, 0, 23, 2)}:${part(random, 0, 59, 2)}`],
    [4, () => part(random, 0, 23, 2) + part(random, 0, 59, 2)],
    [2, () => digits(random, random.between(0, 10))],
    [1, () => `${digits(random, random.between(1, 3))}:${digits(random, random.between(0, 3))}`],
  );

function iso(random) {
  const day = random.one(
    [8, () => `${year(random)}-${part(random, 1, 12, 2)}-${part(random, 1, 31, 2)}`],
    [1, () => `${year(random)}-${part(random, 1, 12, 2)}`],
    [1, () => year(random)],
  );
  if (random.chance(0.15)) return day;
  const separator = random.one([12, () => "T"], [1, () => "t"], [2, () => " "], [1, () => random.pick(["  ", "_", ",", "TT", ""])]);
  const time = random.chance(0.08) ? midnight(random) : clock(random);
  const zone = random.one([3, () => ""], [4, () => "Z"], [1, () => "z"], [5, () => offset(random)], [1, () => ` ${random.pick(ZONES)}`]);
  return day + separator + time + zone;
}

/** A name as people shorten, lengthen, capitalise and misspell it. */
function monthName(random) {
  const name = random.pick(MONTHS);
  const cut = random.one([3, () => name], [4, () => name.slice(0, 3)], [1, () => name.slice(0, random.between(1, name.length))], [1, () => name.slice(0, 3) + random.pick(["x", ".", "\u2028", "é", "t", "uary"])], [1, () => mutated(random, name)]);
  return random.pick([cut, cut, cut.toUpperCase(), cut.toLowerCase()]);
}

function comment(random, depth = 0) {
  const inner = random.many(random.below(3), () => (depth < 4 && random.chance(0.4) ? comment(random, depth + 1) : random.pick(["PST", "x", "12", "Pacific Time", "\u2028", ":", " ", "\u{1f4c5}"]))).join("");
  return `(${inner}${random.one([12, () => ")"], [1, () => ""], [1, () => "))"])}`;
}

const number = (random) => random.one([4, () => String(random.between(0, 32))], [3, () => String(random.between(1900, 2100))], [2, () => pad(random.below(100))], [1, () => digits(random, random.between(1, 12))], [1, () => random.pick(["0", "49", "50", "69", "70", "99", "100", "12", "31", "32"])]);
const looseClock = (random) => random.many(random.pick([1, 2, 2, 3, 3, 4]), () => random.pick([pad(random.below(62)), String(random.below(26))])).join(random.pick([":", ":", ":", "::", ".", ": "])) + random.pick(["", "", ":", "."]) + random.one([3, () => ""], [1, () => fraction(random)]);
const half = (random) => random.pick(["AM", "PM", "am", "pm", "Am", "pM", "A.M.", "a", "PMX"]);

/** What programs write: `toString`, `toUTCString`, and the ways of writing a day around the world. */
function common(random) {
  const [day, month, full] = [part(random, 1, 31, 2), monthName(random), year(random)];
  const time = random.chance(0.5) ? ` ${clock(random)}` : "";
  const zone = random.one([2, () => ""], [1, () => ` ${random.pick(ZONES)}`], [1, () => ` ${random.pick(["GMT", "UTC"])}${offset(random)}`], [1, () => ` ${half(random)}`], [1, () => ` ${offset(random)}`]);
  return random.pick([
    `${random.pick(DAYS)} ${month} ${day} ${full}${time}${zone} ${random.chance(0.5) ? comment(random) : ""}`,
    `${random.pick(DAYS)}, ${day} ${month} ${full}${time}${zone}`,
    `${month} ${day}, ${full}${time}${zone}`,
    `${day}-${month}-${full}${time}${zone}`,
    `${day} ${month} ${full}${time}${zone}`,
    `${part(random, 1, 12, 1)}/${part(random, 1, 31, 1)}/${random.pick([full, full.slice(-2)])}${time}${zone}`,
    `${full}/${part(random, 1, 12, 1)}/${day}${time}${zone}`,
    `${month} ${full}`,
  ]);
}

/** Tokens in any order: what the lenient reader does with them depends on those before. */
function soup(random) {
  const token = () =>
    random.one([6, () => number(random)], [3, () => monthName(random)], [3, () => looseClock(random)], [2, () => random.pick(ZONES)], [2, () => half(random)], [2, () => offset(random)], [1, () => comment(random)], [1, () => random.pick(DAYS)], [1, () => random.pick(ODD)], [1, () => random.pick(SPLINTERS)]);
  const separator = () => random.one([8, () => " "], [3, () => ""], [2, () => "-"], [2, () => "/"], [1, () => ", "], [1, () => "."], [1, () => ":"], [1, () => random.pick(ODD)]);
  return random.many(random.between(1, 7), (index) => (index > 0 ? separator() : "") + token()).join("");
}

/** One character, or a few, put in, taken out, repeated or replaced. */
function mutated(random, text) {
  const units = [...text];
  const at = random.below(units.length + 1);
  const piece = random.one([4, () => random.pick(SPLINTERS)], [2, () => random.pick(ODD)], [1, () => units.slice(at, at + 2).join("")], [3, () => ""]);
  return units.slice(0, at).join("") + piece + units.slice(at + random.below(3)).join("");
}

/** Far more characters of one part than any date has. */
function long(random) {
  const count = random.pick([50, 300, 2000]);
  return random.pick([
    `2024-05-06T07:08:09.${digits(random, count)}Z`,
    `${"0".repeat(count)}5/6/2024`,
    `${digits(random, count)}`,
    `${"(".repeat(count)}${")".repeat(count - random.below(2))} 5/6/2024`,
    `${"x".repeat(count)} 5/6/2024`,
    `May${"y".repeat(count)} 6 2024`,
    `5/6/2024${" ".repeat(count)}10:00`,
    `5/6/2024 ${"- ".repeat(count)}`,
    `5/6/2024 10:00 GMT+${"0".repeat(count)}5:30`,
    `${",".repeat(count)}5/6/2024`,
  ]);
}

/** @param random of `randomOf` */
export function dateText(random) {
  let text = random.one([10, () => iso(random)], [8, () => common(random)], [8, () => soup(random)], [0.05, () => long(random)]);
  while (random.chance(0.25)) text = mutated(random, text);
  return text;
}

/** Texts with a place where any character may stand, one for each place the grammars know. */
export const dateTemplates = [
  (character) => `5/1/2022${character}`,
  (character) => `${character}5/1/2022`,
  (character) => `5${character}1${character}2022`,
  (character) => `May${character}1 2022`,
  (character) => `2022-05-01${character}`,
  (character) => `2022${character}05-01`,
  (character) => `2022-05-01${character}10:20`,
  (character) => `2022-05-01T10:20:30${character}5`,
  (character) => `2022-05-01T10:20${character}`,
  (character) => `5/1/2022 10:20${character}`,
  (character) => `5/1/2022 10:20 ${character}0100`,
  (character) => `5/1/2022 10:20 ${character}M`,
  (character) => `5/1/2022 1${character}:20`,
  (character) => `5/1/2022 (${character}) 10:20`,
];
