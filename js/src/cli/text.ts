/** Characters that show nothing, or change how others are shown; of white space all but the plain space. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;

/** A longer description is cut. */
const LONGEST_COMMENT = 200;

/** Text for a terminal: what cannot be seen is written as JavaScript would escape it. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** A string literal of TypeScript and JavaScript, in which everything can be seen. */
export function literal(text: string): string {
  return `"${visible(text.replace(/["\\]/g, "\\$&"))}"`;
}

/** A doc comment of one line; undefined for a text that says nothing. */
export function comment(text: string): string | undefined {
  const characters = [...text.replace(/\s+/g, " ").replace(INVISIBLE, "").replace(/ +/g, " ").trim()];
  if (characters.length === 0) return undefined;
  const cut = characters.length > LONGEST_COMMENT ? [...characters.slice(0, LONGEST_COMMENT), "…"] : characters;
  // A tag would be taken for one of the flag: `@deprecated` strikes it through.
  const safe = cut.join("").replaceAll("*/", "*\\/").replace(/(^|\{)@/g, "$1\\@");
  return `/** ${safe} */`;
}

/** Texts in an order that no locale changes. */
export function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
