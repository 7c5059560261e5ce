/** Texts whose lower case depends on more than single characters. */

/** Letters that lower-case oddly, marks that do not count as letters around a sigma, and what ends words. */
const SPECIAL = [
  ..."ΣΣΣΣσςΑαΆΐΊİıIiKÅẞßſ",
  ..."ᎠᏴᏰꭰᏸႠⴀᲐა𐐀𐐨𐒰𑢠𖹀𞤀ꟀꟊȺȾⱢⱭⱮǅǄǆᾈᾼῌΩ",
  // Ignored beside a sigma: combining marks, format characters, modifier letters, some punctuation.
  ..."\u0300\u0301\u0307\u0345\u0308\u0483\u05b0\u064b\u200b\u200c\u200d\u00ad\ufe0f\u{e0001}\u{e0061}\u{1d167}\u{1f3fb}'’.:·‧︓﹒．^`¨¯´¸ʰˠːˑ˟ᴬⁿₐⱼꟸꭜ々ー",
  ..." \n\0aZ0_-,;!éÉ中🙂\u{10ffff}",
];

/** @param random of `randomOf` */
export function letterText(random) {
  const character = () => random.one([8, () => random.pick(SPECIAL)], [1, () => "Σ"], [1, () => anyCharacter(random)], [1, () => String.fromCodePoint(random.between(0x250, 0x600))]);
  return random.many(random.between(1, 8), character).join("");
}

function anyCharacter(random) {
  const code = random.below(0x110000);
  return isSurrogate(code) ? "\ufffd" : String.fromCodePoint(code);
}

const isSurrogate = (code) => code >= 0xd800 && code < 0xe000;

/** Characters of old whose properties a Unicode version changed, so that a sigma beside them ends a word, or does not. */
const CHANGED = { "\u{1171e}": 16, "\u0295": 17 };

/**
 * A function that tells whether a text has characters which the native host's Unicode knows and this
 * process's does not, or not the same way.
 * @param oracle of `openOracle`
 */
export async function newerLetters(oracle) {
  const [ours, native] = [process.versions.unicode, await oracle.ask({ unicode: true })].map(Number.parseFloat);
  if (ours >= native) return () => false;
  const changed = Object.keys(CHANGED).filter((character) => ours < CHANGED[character] && CHANGED[character] <= native);
  return (text) => /\p{Unassigned}/u.test(text) || changed.some((character) => text.includes(character));
}

/** Every character there is, those below `end`. */
export function* characters(end = 0x110000) {
  for (let code = 0; code < end; code++) if (!isSurrogate(code)) yield String.fromCodePoint(code);
}

/** A character alone, and in each place around a sigma that decides between σ and ς. */
export const letterTemplates = [
  (character) => character,
  (character) => `a${character}Σ${character}b`,
  (character) => `a${character}Σ`,
  (character) => `${character}Σ`,
  (character) => `aΣ${character}`,
  (character) => `aΣ${character}b`,
  (character) => `aΣ${character}${character}`,
  (character) => `${character}${character}Σ\u0301`,
];
