let encoder: TextEncoder | undefined;

/** Up to this length a loop beats the call to the encoder, which leaves the JavaScript engine. */
const SHORT = 48;

/** Memory above this is given back after an unusually large user. */
const KEEP_BYTES = 1 << 20;

/** Bytes, written one behind the other into memory that is reused. */
export class Writer {
  /** Bytes written so far. Set it back to write over what follows. */
  length = 0;
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);

  /** Starts over. */
  reset(): void {
    this.length = 0;
    if (this.#bytes.length > KEEP_BYTES) this.#resize(4096);
  }

  /** What has been written: a view, valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
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

  /** An f64. */
  number(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** The length in bytes as u32, then WTF-8: UTF-8 in which a lone surrogate stands as three bytes. */
  string(text: string): void {
    this.#reserve(4 + 3 * text.length);
    const start = this.length + 4;
    const end = this.#ascii(text, start) ?? this.#encode(text, start);
    this.#view.setUint32(this.length, end - start, true);
    this.length = end;
  }

  #ascii(text: string, at: number): number | undefined {
    if (text.length > SHORT) return undefined;
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return undefined;
      bytes[at++] = unit;
    }
    return at;
  }

  #encode(text: string, start: number): number {
    // isWellFormed is newer than some runtimes; without it the slow way is right as well.
    const check = (text as { isWellFormed?: () => boolean }).isWellFormed;
    if (check?.call(text)) {
      encoder ??= new TextEncoder();
      return start + encoder.encodeInto(text, this.#bytes.subarray(start)).written;
    }
    const bytes = this.#bytes;
    let at = start;
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
    return at;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, 2 * this.#bytes.length));
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, this.length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
