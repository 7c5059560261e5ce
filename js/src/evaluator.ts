import { importsOf } from "evaluator-imports";

import type { Instance } from "./instance.js";
import { decodeText } from "./texts.js";
import { Writer } from "./writer.js";

/*
 * The evaluator module's side of JavaScript, by hand: what wasm-bindgen would write for it is for any
 * module, and to be compiled before the first answer. See `evaluator-wasm/src/{evaluator,host}.rs`.
 */

/** What the module exports. A text or list goes in and out as its address and its length. */
export interface Exports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  evaluator_load(bytes: number, length: number, start: number, contexts: number, contextsLength: number): number;
  evaluator_fault(): number;
  evaluator_left_out(evaluator: number): [address: number, count: number];
  evaluator_room(evaluator: number, bytes: number): number;
  evaluator_flag(evaluator: number, id: number, nowMs: number, length: number): number;
  evaluator_flags(evaluator: number, nowMs: number, length: number): number;
  __wbg_evaluator_free(evaluator: number, reserved: 0): void;
  __wbindgen_malloc(bytes: number, alignment: number): number;
  __wbindgen_free(address: number, bytes: number, alignment: number): void;
}

/** A ruleset inside the evaluator's memory. */
export class Evaluator {
  readonly #exports: Exports;
  readonly #address: number;

  constructor(exports: Exports, address: number) {
    this.#exports = exports;
    this.#address = address;
  }

  /** Numbers of the flags outside the evaluation contexts, rising; empty without contexts. */
  left_out(): Uint32Array {
    const [address, count] = this.#exports.evaluator_left_out(this.#address);
    const ids = new Uint32Array(this.#exports.memory.buffer, address >>> 0, count).slice();
    this.#exports.__wbindgen_free(address, count * 4, 4);
    return ids;
  }

  /** Address for requests of up to so many bytes: see `pack.ts`. Valid until the next call of this. */
  room(bytes: number): number {
    return this.#exports.evaluator_room(this.#address, bytes) >>> 0;
  }

  /** The code of one flag for the user in the first `length` bytes of the room; -2^31 when they cannot be read. */
  flag(id: number, nowMs: number, length: number): number {
    return this.#exports.evaluator_flag(this.#address, id, nowMs, length);
  }

  /** Address of an `Int32` code per flag that the first `length` bytes ask for; 0 when they cannot be read. */
  flags(nowMs: number, length: number): number {
    return this.#exports.evaluator_flags(this.#address, nowMs, length) >>> 0;
  }

  free(): void {
    this.#exports.__wbg_evaluator_free(this.#address, 0);
  }
}

/** What the module imports, for an instance that is about to start. */
export function evaluatorImports(home: Instance): WebAssembly.Imports {
  const text = (address: number, length: number): string => {
    const start = address >>> 0;
    return decodeText(home.bytes.subarray(start, start + length));
  };
  /** Puts the address and the length of a text where the module wants them. */
  const give = (place: number, given: string): void => {
    const writer = new Writer();
    writer.text(given);
    const address = home.exports.__wbindgen_malloc(writer.length, 1) >>> 0;
    home.bytes.set(writer.written(), address);
    home.words.set([address, writer.length], place >>> 2);
  };
  // By the names that build-js finds in the module. What they call is looked up when they are called.
  return importsOf({
    String: (place: number, number: number) => give(place, String(number)),
    call: (place: number, address: number, length: number) => give(place, text(address, length).toLowerCase()),
    parse: (address: number, length: number) => Date.parse(text(address, length)),
    parseFloat: (address: number, length: number) => parseFloat(text(address, length)),
    __wbindgen_throw(address: number, length: number) {
      throw new Error(text(address, length));
    },
    // For `__wbindgen_start`, which fills a table of JavaScript's values. The evaluator takes none.
    __wbindgen_init_externref_table() {},
  });
}
