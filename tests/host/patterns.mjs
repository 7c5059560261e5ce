/** Seeded regular expressions with texts that they match, or nearly match. */

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). */
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const letters = "aabbcxyz";
const odd = "01_-. ,:;@!~\"'#%&=<>/`\t\n\v\fAZ{}]";
const escapes = ["\\d", "\\D", "\\s", "\\S", "\\w", "\\W", "\\f", "\\n", "\\r", "\\t", "\\v", "\\x41", "\\x61", "\\x0a", "\\xe9", "\\x7F"];
const punctuation = " !\"#$%&'()*+,-./:;=?@[\\]^_`{|}~";
/** What the portability scan refuses, and near it. */
const refused = ["\\b", "\\B", "\\1", "\\0", "\\<", "\\u0041", "\\xg1", "(?=a)", "(?!a)", "(?<n>a)", "é", "a++", "^*", "()*", "{1}", "[[a]", "[]a]", "[^]", "[a&&b]", "[a--b]", "\\e", "\\cA"];
const huge = [100, 600, 1000, 4097, 65535, 2147483646, 2147483647, 2147483648, 4294967295, 4294967296];
/** What a mutation writes somewhere into a pattern. */
const splinters = "()[]{}|*+?^$\\.-,1:ab";

/**
 * A generator of cases: a pattern and texts for it.
 *
 * Patterns follow the grammar: groups, alternatives (empty ones too), quantifiers (lazy and counted), classes with ranges and
 * escapes, anchors anywhere. Some get a piece that is not portable, or a mutation that may spoil their syntax.
 * Each part also says how to write a text for it. Texts have at most 14 characters, because the engine that
 * is asked for the right answer may take exponential time.
 */
export function cases(seed) {
  const random = numbers(seed);
  const below = (count) => Math.floor(random() * count);
  const pick = (list) => list[below(list.length)];
  const chance = (probability) => random() < probability;
  const character = () => (chance(0.85) ? pick(letters) : pick(odd));

  const part = (source, sample) => ({ source, sample });
  const literal = () => {
    const wanted = character();
    return part("{}()[".includes(wanted) || (wanted === "." && chance(0.5)) ? `\\${wanted}` : wanted, () => wanted);
  };
  const escaped = () => {
    if (chance(0.4)) {
      const wanted = pick(punctuation);
      return part(`\\${wanted}`, () => wanted);
    }
    return part(pick(escapes), () => pick("a1 \n_-A\t"));
  };
  function charClass() {
    const members = Array.from({ length: 1 + below(4) }, () => {
      if (chance(0.3)) {
        const [from, to] = [character(), character()].sort();
        return chance(0.97) ? `${from}-${to}` : `${to}-${from}`;
      }
      if (chance(0.2)) return pick([...escapes, "\\b", "\\-", "\\]", "\\^", "\\.", "\\\\"]);
      if (chance(0.03)) return pick(["\\@", "\\B", "\\d-x", "a-\\w", "\\x61-\\x7a", "\\xe0-\\xff", "\\x30-\\xff"]);
      return chance(0.1) ? pick("$.*+?(){}|^,-") : character();
    });
    const negated = chance(0.25) ? "^" : "";
    return part(`[${negated}${members.join("").replaceAll("[", "")}]`, () => (chance(0.8) ? pick(letters) : pick(members.join(""))));
  }
  function atom(depth) {
    const kind = random();
    if (depth > 0 && kind < 0.3) {
      const inner = alternatives(depth - 1);
      return part(`${chance(0.5) ? "(" : "(?:"}${inner.source})`, inner.sample);
    }
    if (kind < 0.42) return charClass();
    if (kind < 0.5) return escaped();
    if (kind < 0.56) return part(".", character);
    if (kind < 0.62) return part(pick("^$"), () => "");
    if (kind < 0.625) return part(pick(refused), () => "a");
    return literal();
  }
  function counts() {
    const [least, more] = [below(4), below(3)];
    const [few, many] = chance(0.05) ? [chance(0.5) ? least : pick(huge), pick(huge)] : [least, least + more];
    return pick([
      { written: `{${few}}`, least: few, most: few },
      { written: `{${few},}`, least: few, most: few + 3 },
      { written: `{${few},${many}}`, least: few, most: many },
    ]);
  }
  function quantified(depth) {
    const inner = atom(depth);
    if (chance(0.6) || "^$".includes(inner.source) || inner.source.endsWith("()") || inner.source.endsWith("(?:)")) return inner;
    const { written, least, most } = pick([
      () => ({ written: "*", least: 0, most: 4 }),
      () => ({ written: "+", least: 1, most: 4 }),
      () => ({ written: "?", least: 0, most: 1 }),
      counts,
    ])();
    return part(inner.source + written + (chance(0.2) ? "?" : ""), () => {
      const times = Math.min(least + below(Math.max(most - least, 0) + 1), 14);
      return Array.from({ length: times }, inner.sample).join("");
    });
  }
  function sequence(depth) {
    const parts = Array.from({ length: below(5) }, () => quantified(depth));
    return part(parts.map((one) => one.source).join(""), () => parts.map((one) => one.sample()).join(""));
  }
  function alternatives(depth) {
    const choices = Array.from({ length: chance(0.7) ? 1 : 2 + below(2) }, () => sequence(depth));
    return part(choices.map((one) => one.source).join("|"), () => pick(choices).sample());
  }
  function mutated(source) {
    const at = below(source.length + 1);
    return source.slice(0, at) + (chance(0.6) ? pick(splinters) : "") + source.slice(at + below(2));
  }
  function text(sample) {
    let written = sample();
    if (chance(0.4)) written = character() + written;
    if (chance(0.4)) written += character();
    if (chance(0.4)) {
      const at = below(written.length + 1);
      written = written.slice(0, at) + (chance(0.6) ? character() : "") + written.slice(at + below(2));
    }
    if (chance(0.01)) written += pick(["\r", "é", "\u2028", "\ud800", "\u{1f600}"]);
    return written.slice(0, 14);
  }
  return function next(texts) {
    const whole = alternatives(3);
    let { source } = whole;
    if (chance(0.3)) source = `^${source}`;
    if (chance(0.3)) source = `${source}$`;
    while (chance(0.15)) source = mutated(source);
    return { pattern: source, texts: Array.from({ length: texts }, () => text(whole.sample)) };
  };
}
