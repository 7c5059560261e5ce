/** The compiler module itself, to write snapshots as a refresher does. */
import { readFileSync } from "node:fs";
import * as glue from "../../evaluator-wasm/pkg-compiler/compiler_bg.js";
import { snapshot, xxh64 } from "./snapshot.mjs";

const wasm = readFileSync(new URL("../../evaluator-wasm/pkg-compiler/compiler_bg.wasm", import.meta.url));
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { "./compiler_bg.js": glue });
glue.__wbg_set_wasm(exports);
exports.__wbindgen_start?.();

/** Definitions (a value) as a ruleset, without the digest that the compiler puts behind it. */
export function rulesetOf(definitions) {
  return glue.compile(new TextEncoder().encode(JSON.stringify(definitions)), new Uint8Array()).slice(0, -8);
}

/** A snapshot with its compiled section, as a current refresher writes it. `change` may spoil the ruleset. */
export function compiledSnapshot(header, definitions, change = (ruleset) => ruleset) {
  const ruleset = change(rulesetOf(definitions));
  const code = new Uint8Array(ruleset.length + 8);
  code.set(ruleset);
  const bytes = snapshot(header, definitions, { CODE: code }, ["HEAD", "CODE", "DEFS"]);
  return digested(bytes);
}

/** The same bytes with the digest of the compiled section, and the checksum of all, made to fit. */
export function digested(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = sectionEnd(bytes, "CODE");
  view.setBigUint64(end - 8, xxh64(bytes.subarray(0, end - 8)), true);
  view.setBigUint64(bytes.length - 8, xxh64(bytes.subarray(0, -8)), true);
  return bytes;
}

/** Where a section of a snapshot ends, in bytes. */
export function sectionEnd(bytes, wanted) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let entry = 12; entry < 12 + 16 * view.getUint32(8, true); entry += 16) {
    const tag = new TextDecoder().decode(bytes.subarray(entry, entry + 4));
    if (tag === wanted) return view.getUint32(entry + 8, true) + view.getUint32(entry + 12, true);
  }
  throw new Error(`no section ${wanted}`);
}
