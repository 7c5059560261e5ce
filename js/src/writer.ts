let encoder: TextEncoder | undefined;

/** Up to this length a loop beats the call to the encoder, which leaves the JavaScript engine. */
const SHORT = 48;

const SIZE = 4096;

/** Memory above this is given back after an unusually large user. */
export const KEEP_BYTES = 1 << 20;

/** Bytes, written one behind the other into memory that is reused. */
export class Writer {
  /** Bytes written so far. Set it back to write over what follows. */
  length = 0;
  /** Values that may still be written: for who writes them. */
  room = 0;
  #bytes = new Uint8Array(SIZE);
  #view = new DataView(this.#bytes.buffer);
  #words = new Uint32Array(this.#bytes.buffer);

  /** Starts over. */
  reset(): void {
    this.length = 0;
    if (this.#bytes.length > KEEP_BYTES) this.#resize(SIZE);
  }

  /** What has been written: a view, valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** Copies what has been written to an address in memory, given as bytes and as words. */
  copyTo(bytes: Uint8Array, words: Uint32Array, address: number): void {
    const { length } = this;
    // A loop beats `set`, which needs a view of its own, while there is little to copy.
    if (length > 1024 || (address & 3) !== 0) {
      bytes.set(this.written(), address);
      return;
    }
    const to = address >>> 2;
    const count = length >> 2;
    for (let index = 0; index < count; index++) words[to + index] = this.#words[index] as number;
    for (let index = count * 4; index < length; index++) bytes[address + index] = this.#bytes[index] as number;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  /** A u32. */
  count(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** A u32 in the place of an earlier one. */
  correct(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** An f64. */
  number(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** The length in bytes as u32, then the text as WTF-8. */
  string(text: string): void {
    this.#reserve(4 + 3 * text.length);
    const at = this.length;
    this.length = at + 4;
    if (!this.#ascii(text)) this.#encode(text);
    this.#view.setUint32(at, this.length - at - 4, true);
  }

  /** WTF-8: UTF-8 in which a lone surrogate stands as three bytes. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    if (!this.#ascii(text)) this.#encode(text);
  }

  #ascii(text: string): boolean {
    const length = text.length;
    if (length > SHORT) return false;
    const bytes = this.#bytes;
    const start = this.length;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      bytes[start + index] = unit;
    }
    this.length = start + length;
    return true;
  }

  #encode(text: string): void {
    // isWellFormed is newer than some runtimes; without it the slow way is right as well.
    const check = (text as { isWellFormed?: () => boolean }).isWellFormed;
    if (check?.call(text)) {
      encoder ??= new TextEncoder();
      this.length += encoder.encodeInto(text, this.#bytes.subarray(this.length)).written;
      return;
    }
    const bytes = this.#bytes;
    let at = this.length;
    // Iteration yields whole characters, and lone surrogates one by one.
    for (const character of text) {
      const code = character.codePointAt(0) as number;
      if (code < 0x80) {
        bytes[at++] = code;
      } else if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6);
        bytes[at++] = 0x80 | (code & 0x3f);
      } else if (code < 0x10000) {
        bytes[at++] = 0xe0 | (code >> 12);
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[at++] = 0x80 | (code & 0x3f);
      } else {
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[at++] = 0x80 | (code & 0x3f);
      }
    }
    this.length = at;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, 2 * this.#bytes.length));
  }

  #resize(size: number): void {
    // Whole words, so that the view of them reaches the end.
    const bytes = new Uint8Array((size + 3) & ~3);
    bytes.set(this.#bytes.subarray(0, this.length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#words = new Uint32Array(bytes.buffer);
  }
}
