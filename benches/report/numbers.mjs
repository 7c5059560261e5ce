/** Medians, spreads and ratios of rounds. */
export const OURS = "flagpost";

const sorted = (numbers) => numbers.toSorted((left, right) => left - right);

export const median = (numbers) => sorted(numbers)[numbers.length >> 1];

export function spread(numbers) {
  const inOrder = sorted(numbers);
  return { median: inOrder[inOrder.length >> 1], least: inOrder[0], most: inOrder.at(-1) };
}

/** How many times slower the left one is: the ratios of each round, in which both met the same machine. */
export const ratios = (left, right) => left.map((number, round) => number / right[round]);

/** Three significant digits, with commas for thousands. */
export function digits(number) {
  if (!Number.isFinite(number)) return String(number);
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(number), 0.01))));
  return number.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** Every number in a value, to four significant digits: no more is known. */
export function rounded(value) {
  if (typeof value === "number") return Number.isInteger(value) ? value : Number(value.toPrecision(4));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rounded(member)]));
}
