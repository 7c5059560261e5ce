import { FlagpostError } from "../errors.js";
import type { User } from "../types.js";
import type { Known } from "./origin.js";
import type { AnyFlags, FlagTypes, KeyOf, PayloadOf, ValueOf } from "./types.js";

/** A flag's value, with a payload if it needs one. */
export type FlagValue<V = boolean | string, P = unknown> = V | { value: V; payload?: P | undefined };

/** Flag key -> its value. What is undefined is left as it is. */
export type FlagValues<M extends FlagTypes<M> = AnyFlags> = {
  [K in KeyOf<M>]?: FlagValue<ValueOf<M, K>, PayloadOf<M, K>> | undefined;
};

/** Values of flags, the same for everybody or made for each user. */
export type Overrides<M extends FlagTypes<M> = AnyFlags> = FlagValues<M> | ((user: User) => FlagValues<M> | undefined);

/** Values as they are looked up. Throws `invalid_options` at what is no value of a flag. */
export function knownOf(values: object | undefined): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const [key, given] of Object.entries(values ?? {})) {
    if (given !== undefined) known.set(key, knownValue(key, given));
  }
  return known;
}

/** One value as it is looked up. */
export function knownValue(key: string, given: unknown): Known {
  const { value, payload } = typeof given === "object" && given !== null ? (given as Partial<Known>) : { value: given };
  if (typeof value !== "boolean" && typeof value !== "string") {
    const fix = "pass true, false, a variant's name, or { value, payload }";
    throw new FlagpostError("invalid_options", `the value given for the flag ${JSON.stringify(key)} is ${value === null ? "null" : `of type ${typeof value}`}: ${fix}`);
  }
  return { value, payload };
}

/** How overrides are looked up for a user. Those that are the same for everybody are read once. */
export function overriding<M extends FlagTypes<M>>(overrides: Overrides<M> | undefined): (user: User) => ReadonlyMap<string, Known> {
  if (typeof overrides === "function") return (user) => knownOf(overrides(user));
  const known = knownOf(overrides);
  return () => known;
}
