let decoder: TextDecoder | undefined;

/** Up to this length a loop beats the call to the decoder, which leaves the JavaScript engine. */
const SHORT = 64;

/** The text that bytes are as WTF-8: UTF-8 in which half of a surrogate pair stands as three bytes. */
export function decodeText(bytes: Uint8Array): string {
  return (bytes.length <= SHORT ? ascii(bytes) : undefined) ?? utf8(bytes) ?? wtf8(bytes);
}

/** The text if all of it is ASCII, so that a byte is a character; else undefined. */
export function decodeAscii(bytes: Uint8Array): string | undefined {
  const text = utf8(bytes);
  return text?.length === bytes.length ? text : undefined;
}

/**
 * The one string that the engine looks properties up by. Any other of the same content works as well,
 * but has to be found among all such strings each time.
 */
export function interned(text: string): string {
  for (const key in { __proto__: null, [text]: 0 }) return key;
  return text;
}

function ascii(bytes: Uint8Array): string | undefined {
  let text = "";
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

function utf8(bytes: Uint8Array): string | undefined {
  decoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Any bytes: what is no WTF-8 becomes some other text. */
function wtf8(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at++] as number;
    const more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let code = more === 0 ? lead : lead & (0x3f >> more);
    for (let left = more; left > 0; left--) code = (code << 6) | ((bytes[at++] ?? 0) & 0x3f);
    text += code < 0x10000 ? String.fromCharCode(code) : surrogates(code);
  }
  return text;
}

function surrogates(code: number): string {
  const high = 0xd800 + ((code - 0x10000) >> 10);
  return String.fromCharCode(high, 0xdc00 | (code & 0x3ff));
}

/** Whether `a` stands before `b` in the order of their bytes: below, above or at zero. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
