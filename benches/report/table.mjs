/** The results as text for a terminal. */
import { CASES } from "../cases.mjs";
import { digits, median, OURS, ratios, spread } from "./numbers.mjs";

const count = (number) => number.toLocaleString("en-US");

/** A runtime's cases for one size of definitions. */
export function steadyTable(heading, cases) {
  const lines = [`\n${heading}: microseconds per call, median (least-most), times Flagpost's`];
  for (const [name, contenders] of Object.entries(cases)) lines.push(...rows(CASES[name], contenders, "us"));
  return lines.join("\n");
}

/** First requests or first answers. */
export function coldTable(heading, contenders) {
  return [`\n${heading}: milliseconds, median (least-most), times Flagpost's`, ...rows("", contenders, "ms")].join("\n");
}

function rows(title, contenders, unit) {
  return Object.entries(contenders).map(([contender, { [unit]: rounds }], index) => {
    const { median: middle, least, most } = spread(rounds);
    const times = contender === OURS ? "" : `${digits(median(ratios(rounds, contenders[OURS][unit])))}x`;
    const range = `(${digits(least)}-${digits(most)})`;
    return `  ${(index === 0 ? title : "").padEnd(48)}${contender.padEnd(18)}${digits(middle).padStart(9)} ${range.padEnd(20)}${times.padStart(8)}`;
  });
}

export function scriptTable(rows) {
  const lines = ["\nWorker script with the package alone, minified: bytes, gzip"];
  for (const { name, bytes, gzip, wasmGzip } of rows) {
    lines.push(`  ${name.padEnd(18)}${count(bytes).padStart(9)} ${count(gzip).padStart(8)}${wasmGzip > 0 ? `, of which ${count(wasmGzip)} are WASM` : ""}`);
  }
  return lines.join("\n");
}

export function barTable(bars) {
  const lines = ["\nBars: the median of each round's ratio (least-most), best round against best round"];
  for (const { what, at, limit, value, from, to, best, met } of bars) {
    const range = from === to ? "" : ` (${digits(from)}-${digits(to)})`;
    lines.push(`  ${met ? "ok   " : "SHORT"} bar ${`${at === "most" ? "at most " : ""}${limit}x`.padEnd(13)} ${`${digits(value)}x`.padStart(8)}${range.padEnd(18)}${(best === null ? "" : `${digits(best)}x`).padStart(8)}  ${what}`);
  }
  return lines.join("\n");
}
