/**
 * Cutting JSON text apart without parsing it, so that everything outside the cut keeps its bytes.
 * The text is known to be well-formed. Positions are indexes into the text.
 */

/** The elements of the array that begins at `start`. @returns {{start: number, end: number}[]} */
export function elementSpans(text, start = 0) {
  const spans = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== "]") {
    const end = skipValue(text, at);
    spans.push({ start: at, end });
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return spans;
}

/**
 * The members of the object that begins at `start`: where the name begins, the value, and its end.
 * @returns {{name: string, nameStart: number, start: number, end: number}[]}
 */
export function memberSpans(text, start = 0) {
  const spans = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== "}") {
    const nameStart = at;
    const nameEnd = skipValue(text, at);
    at = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = skipValue(text, at);
    spans.push({ name: JSON.parse(text.slice(nameStart, nameEnd)), nameStart, start: at, end });
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return spans;
}

/** The text of each element of a JSON array. */
export function elementTexts(array) {
  return elementSpans(array).map(({ start, end }) => array.slice(start, end));
}

/** Where the value of a member stands, or undefined. */
export function memberSpan(text, start, name) {
  return memberSpans(text, start).find((span) => span.name === name);
}

/** The text of one member of a JSON object, or undefined. */
export function memberText(object, name) {
  const span = memberSpan(object, 0, name);
  return span && object.slice(span.start, span.end);
}

function skipSpace(text, at) {
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return at;
}

/** The index after the value that begins at `at`. */
function skipValue(text, at) {
  let depth = 0;
  do {
    const character = text[at];
    if (character === '"') {
      at += 1;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    } else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (depth === 0) {
      while (at < text.length && !/[\s,\]}]/.test(text[at])) at += 1;
      return at;
    }
    at += 1;
  } while (depth > 0);
  return at;
}
