// Takes what panics would say out of a WASM module: usage `node scripts/snip-panics.mjs IN OUT`.
//
// A panic at the edge is a trap, and nobody reads its message. Functions that only ever panic get
// `unreachable` for a body, which traps as before; wasm-opt then drops what only they used: the
// standard library's formatting. What they would say stays among the module's data, where nobody reads it any
// more: it becomes zeros, which compress to nothing. IN must still have its names.
import { readFileSync, writeFileSync } from "node:fs";

const CRATE = String.raw`(?:\[[0-9a-f]+\])?`;

/** Functions of the standard library that never return. */
const PANICS = [
  `^core${CRATE}::panicking::`,
  `^core${CRATE}::(?:option|result)::(?:unwrap|expect)_failed`,
  `^core${CRATE}::slice::.*_fail`,
  `^core${CRATE}::str::slice_error_fail`,
  `^core${CRATE}::cell::panic_`,
  `^alloc${CRATE}::raw_vec::(?:handle_error|capacity_overflow)`,
  `^alloc${CRATE}::alloc::handle_alloc_error`,
  `^<alloc${CRATE}::.*::assert_failed`,
  `^std${CRATE}::(?:panicking|alloc::rust_oom|sys::backtrace::__rust_end_short_backtrace)`,
  `^__rustc${CRATE}::(?:rust_begin_unwind|rust_panic)`,
].map((pattern) => new RegExp(pattern, "u"));

/** Of these every module has some: when none is found, their name has changed. */
const ALWAYS = ["panicking::panic_fmt", "panicking::panic", "raw_vec::handle_error"];

/** What only those functions read: where they stand in the standard library, and their words. */
const TEXTS = /\/rustc\/[0-9a-f]{40}\/library\/(?:core|alloc)\/src\/[a-z_/]+\.rs|capacity overflow/gu;

const CUSTOM = 0;
const IMPORT = 2;
const CODE = 10;
const DATA = 11;
const FUNCTION_NAMES = 1;

/** No locals, `unreachable`, `end`. */
const TRAP = [0x00, 0x00, 0x0b];

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let number = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return number;
    }
  }

  slice() {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text() {
    return new TextDecoder().decode(this.slice());
  }

  limits() {
    const flags = this.byte();
    this.number();
    if (flags & 1) this.number();
  }
}

function encoded(number) {
  const bytes = [];
  for (; number >= 0x80; number = Math.floor(number / 0x80)) bytes.push((number & 0x7f) | 0x80);
  return [...bytes, number];
}

function* sections(module) {
  const reader = new Reader(module, 8);
  while (reader.at < module.length) {
    const id = reader.byte();
    yield { id, body: reader.slice() };
  }
}

function importedFunctions(body) {
  const reader = new Reader(body);
  let functions = 0;
  for (let left = reader.number(); left > 0; left--) {
    reader.text();
    reader.text();
    const kind = reader.byte();
    if (kind === 0) functions += 1;
    if (kind === 1) reader.byte();
    if (kind === 1 || kind === 2) reader.limits();
    else if (kind === 3) reader.at += 2;
    else reader.number();
  }
  return functions;
}

function functionNames(body) {
  const reader = new Reader(body);
  const names = new Map();
  if (reader.text() !== "name") return names;
  while (reader.at < body.length) {
    const id = reader.byte();
    const list = new Reader(reader.slice());
    if (id !== FUNCTION_NAMES) continue;
    for (let left = list.number(); left > 0; left--) names.set(list.number(), list.text());
  }
  return names;
}

function snipped(body, imported, names, found) {
  const reader = new Reader(body);
  const count = reader.number();
  const parts = [Uint8Array.from(encoded(count))];
  for (let index = imported; index < imported + count; index++) {
    const code = reader.slice();
    const name = names.get(index) ?? "";
    const panics = PANICS.some((pattern) => pattern.test(name));
    if (panics) found.push(name);
    const kept = panics ? Uint8Array.from(TRAP) : code;
    parts.push(Uint8Array.from(encoded(kept.length)), kept);
  }
  return Buffer.concat(parts);
}

function withoutTexts(body) {
  return Buffer.from(body.toString("latin1").replace(TEXTS, (text) => "\0".repeat(text.length)), "latin1");
}

const [input, output] = process.argv.slice(2);
const module = readFileSync(input);
const all = [...sections(module)];
const imported = all.filter(({ id }) => id === IMPORT).reduce((sum, { body }) => sum + importedFunctions(body), 0);
const names = new Map(all.filter(({ id }) => id === CUSTOM).flatMap(({ body }) => [...functionNames(body)]));
const found = [];
const parts = [module.subarray(0, 8)];
for (const { id, body } of all) {
  const kept = id === CODE ? snipped(body, imported, names, found) : id === DATA ? withoutTexts(body) : body;
  parts.push(Uint8Array.from([id, ...encoded(kept.length)]), kept);
}
const missing = ALWAYS.filter((name) => !found.some((other) => other.includes(name)));
if (missing.length > 0) {
  console.error(`snip-panics: ${input} has no ${missing.join(", no ")}: were they renamed, or stripped of their names?`);
  process.exit(1);
}
writeFileSync(output, Buffer.concat(parts));
console.log(`snip-panics: ${found.length} functions that panic are traps without a message now`);
