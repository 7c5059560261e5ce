/** What is measured, and under which name it is shown. */
export const CASES = {
  all: "all flags, one value read",
  object: "all flags, plain object of values and payloads",
  ten: "ten flags, values and payloads",
  one: "one flag",
  ready: "stored form to ready handle",
  loadOne: "load, then one flag",
  loadAll: "load, then all flags, one value read",
};
export const SIZES = [10, 100, 1000, 5000];
export const RUNTIMES = ["node", "deno", "bun", "workerd"];
/** Only in `ready`: what the definitions' text costs in any case. */
export const PARSE = "JSON.parse";
