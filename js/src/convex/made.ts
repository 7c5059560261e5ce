/**
 * What a function makes. Called as pure, it lets bundlers leave out a Convex function that nobody imports,
 * whose validators they would otherwise take for side effects: a schema imports the tables and nothing else.
 */
export function made<T>(make: () => T): T {
  return make();
}
