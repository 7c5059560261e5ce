/** What has to be reached, each as a ratio of two contenders of one run. */
import { PARSE } from "../cases.mjs";
import { median, OURS, ratios, spread } from "./numbers.mjs";

const NODE = "posthog-node";
const PLAIN = "plain JavaScript";
const MODEL_SIZE = 1000;
const GROWTH = [100, 5000];

/** [runtime, case, peer, how many times faster at least] */
const FASTER = [
  ["node", "all", NODE, 150],
  ["node", "object", NODE, 50],
  ["node", "one", NODE, 25],
  ["node", "one", PLAIN, 1],
  ["node", "all", PLAIN, 2.8],
  ["node", "ready", PARSE, 10],
  ["workerd", "all", NODE, 90],
  ["workerd", "object", NODE, 35],
  ["workerd", "one", NODE, 11],
  ["workerd", "loadAll", NODE, 22],
  ["workerd", "one", PLAIN, 1],
  ["workerd", "all", PLAIN, 2.8],
  ["workerd", "ready", PARSE, 10],
];

/**
 * Every bar for which this run has numbers.
 *
 * @returns {{what: string, limit: number, at: "least" | "most", value: number, from: number, to: number, best: number | null, met: boolean}[]}
 */
export function barsOf({ steady, cold, native }) {
  return [...FASTER.map((bar) => faster(steady, bar)), ...coldBars(cold), ...nativeBars(steady, native), ...growthBars(steady)].filter(Boolean);
}

function bar(what, at, limit, values, best = null) {
  const { median: value, least: from, most: to } = spread(values);
  return { what, at, limit, value, from, to, best, met: at === "least" ? value >= limit : value <= limit };
}

/** The peer's rounds against ours, and its best round against our best. */
const against = (what, limit, peer, ours) => bar(what, "least", limit, ratios(peer, ours), Math.min(...peer) / Math.min(...ours));

function faster(steady, [runtime, name, peer, limit]) {
  const measured = steady[runtime]?.[MODEL_SIZE]?.[name];
  if (measured?.[peer] === undefined) return undefined;
  return against(`${runtime}, ${name}, against ${peer}`, limit, measured[peer].us, measured[OURS].us);
}

function coldBars({ workerd, convex }) {
  const [first, fresh] = [workerd?.[MODEL_SIZE], convex?.[MODEL_SIZE]];
  return [
    first && against("fresh workerd, first request, against posthog-node", 7, first[NODE].ms, first[OURS].ms),
    first && bar("fresh workerd, first request, times JSON.parse alone", "most", 1.2, ratios(first[OURS].ms, first[PARSE].ms)),
    fresh && against("Convex style, first answer, against @posthog/convex", 1, fresh["@posthog/convex"].ms, fresh[OURS].ms),
  ];
}

/** `native`: size -> case -> microseconds of the same engine without WASM, measured elsewhere. */
function nativeBars(steady, native) {
  return Object.entries(native?.[MODEL_SIZE] ?? {}).map(([name, us]) => {
    const measured = steady.node?.[MODEL_SIZE]?.[name];
    return measured && bar(`node, ${name}, times native Rust`, "most", 1.3, measured[OURS].us.map((ours) => ours / us));
  });
}

function growthBars(steady) {
  return Object.entries(steady).flatMap(([runtime, sizes]) => {
    const [small, large] = GROWTH.map((size) => sizes[size]);
    if (small === undefined || large === undefined) return [];
    // Different processes, so the rounds have nothing in common: medians are compared.
    const growth = (name, of) => of(large[name][OURS].us) / of(small[name][OURS].us);
    const least = (rounds) => Math.min(...rounds);
    const flags = GROWTH[1] / GROWTH[0];
    return [
      small.all && bar(`${runtime}, all, microseconds per flag, ${GROWTH[1]} times ${GROWTH[0]} flags`, "most", 1.15, [growth("all", median) / flags], growth("all", least) / flags),
      small.one && bar(`${runtime}, one, microseconds, ${GROWTH[1]} times ${GROWTH[0]} flags`, "most", 1.3, [growth("one", median)], growth("one", least)),
    ];
  });
}
