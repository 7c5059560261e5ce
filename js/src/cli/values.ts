import { member, type Json } from "./snapshot.js";

/**
 * The values that a flag can have, here or from PostHog's server, which picks among the same variants. Who is
 * let in, how many, and whether the flag is switched on does not count: these change while a program runs.
 */
export interface Values {
  /** Whether it can be `true`. It can always be `false`. */
  readonly canBeTrue: boolean;
  /** The names that it can have; undefined: nobody can tell. */
  readonly names: ReadonlySet<string> | undefined;
}

const BOOLEAN: Values = { canBeTrue: true, names: new Set() };
const ANY: Values = { canBeTrue: true, names: undefined };

/**
 * Shares that leave less than this to `true` leave it to nobody: 33.33, 33.33 and 33.34 percent of a number
 * of 53 bits may fall short of all by its last bit.
 */
const NOBODY = 1e-9;

/** What one definition of a flag can answer. Of flags with the same key, see `eitherOf`. */
export function valuesOf(flag: Json): Values {
  const filters = member(flag, "filters");
  const holdouts = holdoutsOf(filters);
  const variants = member(member(filters, "multivariate"), "variants");
  const keys = keysOf(variants);
  if (holdouts === undefined || keys === undefined) return ANY;
  const names = new Set([...keys, ...holdouts]);
  // The variant without a name is no variant: its users get `true`.
  const nameless = names.delete("");
  return { canBeTrue: nameless || !sharesFill(variants), names };
}

/** A key that is defined more than once means the last, but evaluation contexts can leave that out. */
export function eitherOf(all: readonly Values[]): Values {
  return all.reduce((one, other) => ({
    canBeTrue: one.canBeTrue || other.canBeTrue,
    names: one.names && other.names && new Set([...one.names, ...other.names]),
  }), { ...BOOLEAN, canBeTrue: false });
}

/** The variants' names; undefined when one is no text. */
function keysOf(variants: Json): string[] | undefined {
  if (!variants) return [];
  if (!Array.isArray(variants)) return undefined;
  const keys = variants.map((variant) => member(variant, "key"));
  return keys.every((key) => typeof key === "string") ? keys : undefined;
}

/** Whether everybody gets some variant, whose shares are laid end to end. */
function sharesFill(variants: Json): boolean {
  let end = 0;
  let reached = 0;
  for (const variant of Array.isArray(variants) ? variants : []) {
    end += toNumber(member(variant, "rollout_percentage")) / 100;
    // Behind a share that is no number nobody is reached: all comparisons with it are false.
    reached = Math.max(reached, end || 0);
  }
  return reached > 1 - NOBODY;
}

function toNumber(value: Json): number {
  try {
    return Number(value);
  } catch {
    return NaN;
  }
}

/** What people get who are held out; undefined when that is no text. Older flags have `holdout_groups`, which only the server reads. */
function holdoutsOf(filters: Json): string[] | undefined {
  const names: string[] = [];
  const holdout = member(filters, "holdout");
  const [id, share] = [member(holdout, "id") ?? null, member(holdout, "exclusion_percentage") ?? null];
  if (id !== null && share !== null) {
    if (typeof id === "object") return undefined;
    names.push(`holdout-${String(id)}`);
  }
  const groups = member(filters, "holdout_groups");
  for (const group of Array.isArray(groups) ? groups : []) {
    const name = member(group, "variant");
    if (typeof name === "string" && name !== "") names.push(name);
  }
  return names;
}
