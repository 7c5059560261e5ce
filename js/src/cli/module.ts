import { Buffer } from "node:buffer";

import type { Definitions } from "../types.js";
import { Failure } from "./failure.js";

interface File {
  readonly path: string;
  readonly text: string;
}

/** Endings of modules, with what their typings end with; null for those that need none. */
const TYPINGS: Readonly<Record<string, string | null>> = { ".mjs": ".d.mts", ".js": ".d.ts", ".mts": null, ".ts": null };

const NOTE = "A snapshot as base64, for embeddedSource. Written by `flagpost embed`: write it again before a build.";
const TYPING = `/** ${NOTE} */\ndeclare const snapshot: string;\nexport default snapshot;\n`;

/** What makes a snapshot the module of this path. The typings come first, so that a module never stands without. */
export function moduleOf(path: string): (snapshot: Uint8Array<ArrayBuffer>, definitions: Definitions) => File[] {
  const ending = /(?<!\.d)\.[a-z]+$/.exec(path)?.[0] ?? "";
  const typing = TYPINGS[ending];
  if (typing === undefined) throw new Failure("usage", "the module's name ends with .mjs, .js, .mts or .ts: -o flags.snapshot.mjs");
  return (snapshot, { flagKeys, info }) => {
    const about = `${flagKeys.length} flags, current at ${timeOf(info?.checkedAt)}.`;
    const type = typing === null ? ": string" : "";
    const text = `// ${NOTE}\n// ${about}\nconst snapshot${type} = "${base64Of(snapshot)}";\nexport default snapshot;\n`;
    const module = { path, text };
    return typing === null ? [module] : [{ path: path.slice(0, -ending.length) + typing, text: TYPING }, module];
  };
}

/** A time in the one form that is safe in a comment, whatever the header says. */
function timeOf(time: unknown): string {
  const at = new Date(String(time));
  return Number.isNaN(at.getTime()) ? "an unknown time" : at.toISOString();
}

function base64Of(bytes: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
