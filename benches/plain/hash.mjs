/** PostHog's hash of (flag, bucketing value, salt), with as little as possible done for each flag. */
import { fractionOf } from "./sha1.mjs";

export const ROLLOUT = 0;
export const VARIANT = 1;
const SALTS = ["", "variant"];

let message = new Int32Array(32);

/** Text as big-endian words of its UTF-8, behind `shift` bytes of nothing, and the number of its bytes. */
function wordsOf(text, shift, end) {
  let length = text.length;
  let bytes;
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) > 0x7f) {
      bytes = new TextEncoder().encode(text);
      length = bytes.length;
      break;
    }
  }
  const words = new Int32Array((shift + length + end.length + 3) >> 2);
  for (let index = 0; index < length; index++) {
    const at = shift + index;
    words[at >> 2] |= (bytes === undefined ? text.charCodeAt(index) : bytes[index]) << (24 - 8 * (at & 3));
  }
  if (end.length > 0) words[(shift + length) >> 2] |= 0x80000000 >>> (8 * ((shift + length) & 3));
  return { words, length };
}

/** SHA-1's mark behind the last byte of a message. */
const MARK = [0x80];

/** What a flag's messages begin with, encoded when definitions are compiled. */
export class Prefix {
  constructor(text) {
    const { words, length } = wordsOf(text, 0, []);
    this.length = length;
    this.shift = length & 3;
    this.whole = length >> 2;
    this.words = words;
    this.tail = this.shift === 0 ? 0 : words[this.whole];
  }
}

/** A bucketing value: its words for each salt and each place in a word where they may begin, made when asked for. */
export class Subject {
  constructor(text) {
    this.text = text;
    this.made = [undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined];
    /** Flags that share a holdout share its hash. */
    this.holdout = -1;
  }

  ending(salt, shift) {
    return (this.made[salt * 4 + shift] ??= wordsOf(this.text + SALTS[salt], shift, MARK));
  }
}

/** The hash of what `prefix`, `subject` and the salt spell together: from 0 to 1. */
export function hashOf(prefix, subject, salt) {
  const { words, length } = subject.ending(salt, prefix.shift);
  const total = prefix.length + length;
  const end = ((total + 72) >> 6) << 4;
  if (end > message.length) message = new Int32Array(end);
  const { whole } = prefix;
  for (let index = 0; index < whole; index++) message[index] = prefix.words[index];
  message[whole] = prefix.tail | words[0];
  let at = whole + 1;
  for (let index = 1; index < words.length; index++) message[at++] = words[index];
  while (at < end - 1) message[at++] = 0;
  message[end - 1] = total << 3;
  return fractionOf(message, end);
}
