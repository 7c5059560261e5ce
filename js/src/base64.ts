const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

interface Native {
  Uint8Array: { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  Buffer?: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> };
}

/** Decodes base64 in the fastest way there is. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const { Uint8Array: Native, Buffer } = globalThis as unknown as Native;
  return Native.fromBase64?.(text) ?? Buffer?.from(text, "base64") ?? decodeByTable(text);
}

function decodeByTable(text: string): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(128);
  for (let index = 0; index < ALPHABET.length; index++) table[ALPHABET.charCodeAt(index)] = index;
  const digits = text.replace(/=+$/, "").length;
  const bytes = new Uint8Array((digits * 3) >> 2);
  let buffered = 0;
  let at = 0;
  for (let index = 0; index < digits; index++) {
    buffered = (buffered << 6) | (table[text.charCodeAt(index)] as number);
    // Every digit after the first of four completes a byte.
    const spare = 6 - 2 * (index & 3);
    if ((index & 3) !== 0) bytes[at++] = (buffered >> spare) & 0xff;
  }
  return bytes;
}
