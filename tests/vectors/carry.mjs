/**
 * Values that JSON cannot carry, put at their places. Imports nothing: every runtime reads this.
 * A place is `{path: string[], kind, value?}`; vectors list theirs as `js_values`.
 */
const MAKE = {
  undefined: () => undefined,
  Date: (value) => new Date(value ?? NaN),
  NaN: () => NaN,
  Infinity: () => Infinity,
  "-Infinity": () => -Infinity,
  "-0": () => -0,
};

/** Puts the listed values into `holder`, which is changed and returned. */
export function putJsValues(holder, places = []) {
  for (const { path, kind, value } of places) {
    const parent = path.slice(0, -1).reduce((object, name) => object[name], holder);
    // Not an assignment: a property may be called `__proto__`.
    Object.defineProperty(parent, path.at(-1), { value: MAKE[kind](value), enumerable: true, configurable: true, writable: true });
  }
  return holder;
}

/** The places of all values inside `value` that its JSON would lose. */
export function jsValuesOf(value, path = []) {
  const kind = kindOf(value);
  if (kind === "Date") return [{ path, kind, value: value.getTime() }];
  if (kind !== null) return [{ path, kind }];
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((name) => jsValuesOf(value[name], [...path, name]));
}

function kindOf(value) {
  if (value === undefined) return "undefined";
  if (value instanceof Date) return "Date";
  if (typeof value !== "number") return null;
  return Object.is(value, -0) || !Number.isFinite(value) ? (Object.is(value, -0) ? "-0" : String(value)) : null;
}
