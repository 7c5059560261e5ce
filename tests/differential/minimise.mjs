/**
 * Makes a mismatch as small as it gets while the answers still differ, and prints it as a vector:
 * a line for a file of tests/vectors, which `regenerate.mjs` there gives its expected answer.
 */
import { completedGroups, completedPerson } from "./reference.mjs";

const SIMPLER = [null, true, 0, "", "a", [], {}];
const MOST_TRIALS = 1500;

/**
 * @param document the document with the mismatch
 * @param {{key: string, user: object}} mismatch
 * @param {(document: object) => Promise<object | undefined>} mismatchOf compares a document and gives the
 *   mismatch of the flag `key`, if there still is one
 */
export async function minimise(document, mismatch, mismatchOf) {
  let best = { ...document, users: [mismatch.user] };
  let found = mismatch;
  let trials = 0;
  const accepts = async (candidate) => {
    trials += 1;
    const still = await mismatchOf(candidate, mismatch).catch(() => undefined);
    if (!still) return false;
    best = candidate;
    found = still;
    return true;
  };

  if (!(await accepts(best))) return { document: best, mismatch: found, repeatable: false };
  let smaller = true;
  while (smaller && trials < MOST_TRIALS) {
    smaller = false;
    for (const root of ["definitions", "users"]) {
      for (let path = firstPath(best[root]); path; path = nextPath(best[root], path)) {
        if (trials >= MOST_TRIALS) break;
        for (const change of changesAt(best[root], path)) {
          if (await accepts({ ...best, [root]: change })) {
            smaller = true;
            break;
          }
        }
      }
    }
  }
  return { document: best, mismatch: found, repeatable: true };
}

/** Paths through a value, outermost first. */
function pathsOf(value, above = []) {
  if (!isHolder(value)) return [];
  return Object.keys(value).flatMap((key) => [[...above, key], ...pathsOf(value[key], [...above, key])]);
}
const firstPath = (value) => pathsOf(value)[0];
function nextPath(value, path) {
  const paths = pathsOf(value);
  const place = paths.findIndex((other) => other.join("\u0000") === path.join("\u0000"));
  if (place >= 0) return paths[place + 1];
  // The member itself is gone: what followed it has taken its place or stands after it.
  return paths.find((other) => compare(other, path) > 0);
}
function compare(left, right) {
  return left.join("\u0000") < right.join("\u0000") ? -1 : 1;
}

/** The same value without the member at `path`, or with something simpler there. */
function* changesAt(value, path) {
  const present = path.reduce((holder, key) => holder?.[key], value);
  yield changed(value, path, (holder, key) => (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]));
  if (isHolder(present) && Object.keys(present).length === 1) {
    const only = Object.values(present)[0];
    if (isHolder(only)) yield changed(value, path, (holder, key) => define(holder, key, only));
  }
  for (const simple of SIMPLER) {
    if (size(simple) < size(present)) yield changed(value, path, (holder, key) => define(holder, key, simple));
  }
  if (typeof present === "string" && present.length > 1) {
    for (const part of [present.slice(0, present.length / 2), present.slice(present.length / 2), present.slice(1), present.slice(0, -1)]) yield changed(value, path, (holder, key) => define(holder, key, part));
  }
}

function size(value) {
  if (value === null) return 1;
  if (typeof value === "boolean") return 2;
  if (typeof value === "number") return 2 + String(value).length;
  if (typeof value === "string") return 3 + value.length;
  return isHolder(value) ? 4 + Object.values(value).reduce((sum, member) => sum + size(member), 0) + Object.keys(value).length : 100;
}

/** A copy in which only what lies on the way is copied, so that JavaScript's own values stay themselves. */
function changed(value, path, change) {
  const copy = Array.isArray(value) ? [...value] : copied(value);
  if (path.length === 1) change(copy, path[0]);
  else define(copy, path[0], changed(value[path[0]], path.slice(1), change));
  return copy;
}

function copied(value) {
  const copy = {};
  for (const key of Object.keys(value)) define(copy, key, value[key]);
  return copy;
}

function define(holder, key, value) {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function isHolder(value) {
  return Array.isArray(value) || (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && typeof value.toString === "function");
}

/** A minimised case as a line of a vectors file. */
export function vectorOf({ definitions, now, contexts, users: [user] }, { key, reference }, id) {
  const js = [];
  const context = {
    distinct_id: user.distinctId,
    groups: user.groups ?? {},
    person_properties: plain(completedPerson(user), ["context", "person_properties"], js),
    group_properties: plain(completedGroups(user), ["context", "group_properties"], js),
  };
  const expected = reference.unresolved ? { status: "inconclusive", reason: reference.unresolved } : reference.threw ? { status: "inconclusive", reason: "any" } : { status: "value", ...reference };
  return JSON.stringify({ id, source: "differential", definitions, context, flag_key: key, expected, now: new Date(now).toISOString(), ...(contexts && { contexts }), ...(js.length && { js_values: js }) });
}

function plain(value, path, js) {
  if (Array.isArray(value)) return value.map((item, index) => plain(item, [...path, String(index)], js));
  if (isHolder(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member, [...path, key], js)]));
  if (value === null || typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  js.push({ path, ...kindOfJs(value) });
  return null;
}

function kindOfJs(value) {
  if (value instanceof Date) return Number.isNaN(value.valueOf()) ? { kind: "Date", value: "invalid" } : { kind: "Date", value: value.toISOString() };
  if (value === undefined) return { kind: "undefined" };
  if (typeof value === "number") return { kind: String(value) };
  return { kind: describe(value) };
}

function describe(value) {
  try {
    return `${Object.prototype.toString.call(value)} ${String(value)}`;
  } catch {
    return Object.prototype.toString.call(value);
  }
}
