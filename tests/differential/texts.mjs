/** Dates, versions and patterns as people and programs write them, and texts near them. */

const pad = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "February", "mar", "APR", "May", "June", "Jul", "Aug", "Sept", "Oct", "Nov", "December"];

/** Dates: relative, ISO, what only V8's lenient parser takes, and near misses. */
export function anyDate(random) {
  const [y, m, d, h, min, s] = [random.pick([1969, 1999, 2000, 2023, 2024, 2025, 2030]), random.between(0, 13), random.between(0, 32), random.between(0, 24), random.between(0, 60), random.between(0, 60)];
  const day = `${y}-${pad(m)}-${pad(d)}`;
  return random.one(
    [10, () => `${random.pick(["-", "-", ""])}${random.pick([0, 1, 1, 1, 2, 3, 4, 4, 6, 7, 8, 12, 29, 30, 31, 365, 9999, 10000, "03"])}${random.pick(["h", "d", "w", "m", "m", "m", "y", "y", "y", "q", "D", "min", ""])}`],
    [2, () => random.pick(["-1y", "-4y", "-4y", "-8y", "-1m", "-12m", "-48m"])],
    [2, () => day],
    [1, () => `${y}-${pad(m)}`],
    [1, () => String(y)],
    [3, () => `${day}T${pad(h)}:${pad(min)}${random.pick(["", `:${pad(s)}`, `:${pad(s)}.5`, `:${pad(s)}.123456`])}${random.pick(["", "Z", "+02:00", "-0530", "+02", "z", " GMT"])}`],
    [1, () => `${day} ${pad(h)}:${pad(min)}:${pad(s)}${random.pick(["", " UTC", " EST", " PM", "+0100"])}`],
    [2, () => random.pick([`${MONTHS[m % 12]} ${d}, ${y}`, `${d} ${MONTHS[m % 12]} ${y}`, `${MONTHS[m % 12]} ${y}`, `${m}/${d}/${y % 100}`, `${y}/${m}/${d}`, `${y}.${m}.${d}`, `${y}${pad(m)}${pad(d)}`])],
    [1, () => `Tue, ${pad(d)} ${MONTHS[m % 12]} ${y} ${pad(h)}:${pad(min)}:${pad(s)} GMT`],
    [1, () => random.pick(["today", "now", "hello 12", "-7", "1.5", "32", "0", "12", "(comment) 2024", "2024-02-30", "2024-02-29T24:00:00", "+010000-01-01", "-000001-01-01", "1700000000", "1700000000000", "2024-W05", "T12:00", "", "-d", "--3d", " -3d", "3d "])],
  );
}

/** Versions and version ranges. */
export function anyVersion(random) {
  const number = () => random.pick([0, 0, 1, 1, 2, 3, 9, 10, 11, 99, "01", "007", "20240101", "9007199254740993"]);
  const plain = () => random.many(random.pick([1, 2, 3, 3, 3, 3, 4]), number).join(".");
  return random.one(
    [6, plain],
    [1, () => `${random.pick(["v", "V", "vv", " v", "=", "^", "~"])}${plain()}`],
    [1, () => `${plain()}${random.pick(["-alpha", "-alpha.1", "+build", "-", "+", "-rc.1+b", " ", "x", ".", "..", "\n"])}`],
    [2, () => `${random.pick(["", `${number()}.`, `${number()}.${number()}.`, `${number()}`])}${random.pick(["*", ".*", "x", "*.*", ""])}`],
    [1, () => random.pick(["", ".", "1..2", "1.", ".1", "1.2.x", "a.b.c", "1.-2.3", "١.٢.٣", "1e1.0.0", "latest"])],
  );
}

const ATOMS = ["a", "b", "c", "x", "1", "_", "-", " ", ".", "\\.", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "[abc]", "[^a]", "[a-c]", "[\\w.-]", "[0-9]", "[^\\d]", "[-a]", "[a-]", "\\x41", "\\t", "\\-", "\\/", "]", "}", "A", "@", ","];
const QUANTIFIERS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{1,2}?", "{0}"];
/** Bounded ones: on a repeated group with choices inside, the reference's engine can take exponential time. */
const GROUP_QUANTIFIERS = ["?", "??", "{2}", "{0,2}", "{1,2}?", "{0}"];
const ODDITIES = ["(?=a)", "(?!a)", "(?<n>a)", "\\b", "\\B", "\\1", "\\u0041", "\\cA", "\\p{L}", "[[a]", "[]", "[^]", "[a&&b]", "[z-a]", "[\\d-x]", "[\\b]", "[\\B]", "é", "**", "++", "a**", "a?*", "^*", "()*", "(?:)+", "{", "{2}", "{3,2}", "(", ")", "\\", "[a", "\\x4", "\\<", "{,2}", "{99999999999}", "a{4294967295}", "(?i)a", "a|*", "|", "a||b", "(|a)"];

/** Patterns: mostly ones that every engine reads alike, and some of each that none should. */
export function anyPattern(random) {
  const pattern = alternation(random, 0);
  if (!random.chance(0.3)) return pattern;
  const at = random.below(pattern.length + 1);
  return pattern.slice(0, at) + random.pick(ODDITIES) + pattern.slice(at);
}

function alternation(random, depth) {
  const branches = random.many(random.pick([1, 1, 1, 2, 3]), () => random.many(random.between(0, 3), () => atom(random, depth)).join(""));
  const [before, after] = depth === 0 ? [random.pick(["", "", "^"]), random.pick(["", "", "$"])] : ["", ""];
  return before + branches.join("|") + after;
}

function atom(random, depth) {
  const isGroup = depth < 2 && random.chance(0.2);
  const base = isGroup ? `${random.pick(["(", "(?:"])}${alternation(random, depth + 1)})` : random.pick(ATOMS);
  return base + (random.chance(0.3) ? random.pick(isGroup ? GROUP_QUANTIFIERS : QUANTIFIERS) : "");
}

/** A text that a filter of this operator and value may take or only just refuse. */
export function textFor(random, text, operator, now) {
  if (/date/.test(operator)) return dateNear(random, text, now);
  if (/semver/.test(operator)) {
    const parts = text.replace(/[^0-9.]/g, "").split(".");
    const at = random.below(parts.length);
    parts[at] = String(Math.max(0, Number(parts[at]) + random.pick([-1, 0, 1])));
    return random.pick([parts.join("."), `v${parts.join(".")}`, `${parts.join(".")}-beta`, anyVersion(random)]);
  }
  if (/regex/.test(operator)) {
    const plain = text.replace(/\\[dDwWsS]/g, () => random.pick(["1", "a", " ", "_", "."])).replace(/[\\^$*+?()[\]{}|]/g, "");
    return random.pick([plain, `x${plain}`, plain.repeat(2), random.many(random.below(6), () => random.pick(["a", "b", "c", "1", " ", "\n", "A", "x", "-", "."])).join(""), `${plain}é`, `${plain}\r`]);
  }
  if (/gt|lt/.test(operator)) return random.pick(["😀", "ﬁ", `${text}😀`, `${text}ﬁ`, `${Number.parseFloat(text) + random.pick([-1, -0.5, 0, 1])}`, `${text}0`, ` ${text}`, `1${text}`]);
  return random.pick([text, text.toUpperCase(), text.toLowerCase(), `${text} `, [...text].reverse().join("")]);
}

/** A date about where a relative one leads, a few days and the time of day around it; or any date. */
function dateNear(random, text, now) {
  const [, count, unit] = /^-?(\d+)([hdwmy])$/.exec(text) ?? [];
  if (!unit || random.chance(0.2)) return anyDate(random);
  const date = new Date(now);
  const back = { h: [0, 0, 0, count], d: [0, 0, count], w: [0, 0, 7 * count], m: [0, count], y: [count] }[unit];
  const [years = 0, months = 0, days = 0, hours = 0] = back.map(Number);
  date.setUTCFullYear(date.getUTCFullYear() - years, date.getUTCMonth() - months, date.getUTCDate() - days + random.pick([-4, -3, -2, -1, 0, 0, 0, 1, 2]));
  date.setUTCHours(date.getUTCHours() - hours, date.getUTCMinutes() + random.pick([-1, 0, 1]));
  return Number.isNaN(date.valueOf()) ? "1970-01-01" : date.toISOString();
}
