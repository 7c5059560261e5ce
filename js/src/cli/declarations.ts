import { payloadTypeOf } from "./payloads.js";
import { member, type Json } from "./snapshot.js";
import { comment, literal, sorted } from "./text.js";
import { eitherOf, valuesOf, type Values } from "./values.js";

/** Options of `declarationsOf`. */
export interface DeclarationOptions {
  /** Whether a flag that is switched off is `false` and nothing else. */
  readonly offIsFalse: boolean;
}

const HEAD = `/*
 * The flags of this project. Written by \`flagpost types\`: write it again when flags were added or changed.
 *
 *   import type { Flags } from "./flags";
 *   export const flags = createFlags<Flags>({ … });
 */
/* eslint-disable */

export interface Flags {
`;
const FOOT = "}\n";

/**
 * The flags as an interface of TypeScript. It depends on nothing but keys, descriptions, variants, payloads and holdouts:
 * a change of who is let in does not change it.
 */
export function declarationsOf(flags: readonly Json[], options: DeclarationOptions): string {
  const byKey = new Map<string, Json[]>();
  for (const flag of flags) {
    const key = keyOf(flag);
    if (key === undefined) continue;
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [flag]);
    else same.push(flag);
  }
  return HEAD + sorted(byKey.keys()).map((key) => declarationOf(key, byKey.get(key) as Json[], options)).join("") + FOOT;
}

/** A flag's key, which is the text of whatever it is; undefined when it has none. */
function keyOf(flag: Json): string | undefined {
  try {
    return String(member(flag, "key"));
  } catch {
    return undefined;
  }
}

function declarationOf(key: string, flags: readonly Json[], { offIsFalse }: DeclarationOptions): string {
  const on = offIsFalse ? flags.filter((flag) => Boolean(member(flag, "active"))) : flags;
  const values = eitherOf(on.map(valuesOf));
  const name = member(flags.at(-1), "name");
  const description = typeof name === "string" ? comment(name) : undefined;
  return [
    ...(description === undefined ? [] : [`  ${description}`]),
    `  ${literal(key)}: {`,
    `    value: ${valueTypeOf(values)};`,
    `    payload: ${payloadTypeOf(on, values)};`,
    "  };",
    "",
  ].join("\n");
}

function valueTypeOf({ canBeTrue, names }: Values): string {
  const either = canBeTrue ? "boolean" : "false";
  return [either, ...(names === undefined ? ["string"] : sorted(names).map(literal))].join(" | ");
}

/** What differs between two texts of `declarationsOf`: flags by the literal of their key, each `+`, `-` or `~`. */
export function differencesOf(before: string, after: string): string[] {
  const [old, current] = [entriesOf(before), entriesOf(after)];
  return sorted(new Set([...old.keys(), ...current.keys()])).flatMap((key) => {
    if (old.get(key) === current.get(key)) return [];
    return [`${old.has(key) ? (current.has(key) ? "~" : "-") : "+"} ${key}`];
  });
}

/** The literal of a key -> all that is written for it. */
function entriesOf(text: string): Map<string, string> {
  const entries = text.matchAll(/^(?: {2}\/\*\*.*\n)? {2}("(?:[^"\\\n]|\\.)*"): \{\n(?: {4}.*\n)* {2}\};$/gm);
  return new Map(Array.from(entries, ([entry, key]) => [key as string, entry]));
}
