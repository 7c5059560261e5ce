import { literal, sorted } from "./text.js";

/** Deeper values, and more members of one object, are not described. */
const DEEPEST = 8;
const MOST_MEMBERS = 200;

/** A type with more parts than this is written as `unknown`. */
const MOST_PARTS = 1000;

/** What values of JSON have in common: kinds that were seen, and what is in lists and objects. */
export interface Shape {
  kinds: Set<"boolean" | "number" | "string" | "null" | "unknown">;
  /** Of all elements of all lists. */
  element: Shape | undefined;
  members: Map<string, { shape: Shape; seen: number }> | undefined;
  /** How many objects were seen: a member that fewer had is optional. */
  objects: number;
}

export function emptyShape(): Shape {
  return { kinds: new Set(), element: undefined, members: undefined, objects: 0 };
}

/** Widens a shape so that a value of JSON fits it. */
export function widen(shape: Shape, value: unknown, depth = 0): void {
  if (value === null) shape.kinds.add("null");
  else if (typeof value === "boolean" || typeof value === "number" || typeof value === "string") shape.kinds.add(typeof value as "string");
  else if (typeof value !== "object" || depth === DEEPEST) shape.kinds.add("unknown");
  else if (Array.isArray(value)) {
    const element = (shape.element ??= emptyShape());
    for (const item of value) widen(element, item, depth + 1);
  } else {
    shape.objects++;
    const members = (shape.members ??= new Map());
    for (const [key, item] of Object.entries(value)) {
      if (members.size > MOST_MEMBERS) break;
      let known = members.get(key);
      if (known === undefined) members.set(key, (known = { shape: emptyShape(), seen: 0 }));
      known.seen++;
      widen(known.shape, item, depth + 1);
    }
  }
}

/** A shape as a type of TypeScript, on one line. */
export function typeOf(shape: Shape): string {
  const budget = { left: MOST_PARTS };
  const type = partsOf(shape, budget).join(" | ");
  return budget.left < 0 ? "unknown" : type;
}

function partsOf({ kinds, element, members, objects }: Shape, budget: { left: number }): string[] {
  if (budget.left-- < 0 || kinds.has("unknown")) return ["unknown"];
  const parts: string[] = (["boolean", "number", "string"] as const).filter((kind) => kinds.has(kind));
  if (members !== undefined) parts.push(objectOf(members, objects, budget));
  if (element !== undefined) parts.push(listOf(element, budget));
  if (kinds.has("null")) parts.push("null");
  // Nothing was seen: an element of lists that all are empty.
  return parts.length === 0 ? ["unknown"] : parts;
}

function listOf(element: Shape, budget: { left: number }): string {
  const parts = partsOf(element, budget);
  return parts.length === 1 ? `${parts[0]}[]` : `(${parts.join(" | ")})[]`;
}

function objectOf(members: NonNullable<Shape["members"]>, objects: number, budget: { left: number }): string {
  if (members.size === 0 || members.size > MOST_MEMBERS) return "{ [key: string]: unknown }";
  const lines = sorted(members.keys()).map((key) => {
    const { shape, seen } = members.get(key) as { shape: Shape; seen: number };
    if (seen === objects) return `${literal(key)}: ${partsOf(shape, budget).join(" | ")}`;
    // Where it is missing, every object's own `toString` is read instead.
    return `${literal(key)}?: ${key in {} ? "unknown" : partsOf(shape, budget).join(" | ")}`;
  });
  return `{ ${lines.join("; ")} }`;
}
