/** The results as one picture: SVG, every axis of time logarithmic. */
import { digits, median, OURS, spread } from "./numbers.mjs";
import { drawing, line, logarithmic, path, rectangle, text } from "./svg.mjs";

const COLOURS = { flagpost: "#1f5fbf", "plain JavaScript": "#4f9d69", "posthog-node": "#e0862a", "@posthog/convex": "#9a7bb8", "JSON.parse": "#8b8f94", "reading alone": "#c9ccd0" };
const CASES = { all: "all", object: "plain object", ten: "ten", one: "one", loadOne: "load+one", loadAll: "load+all" };
const WIDTH = 1120;
const MARGIN = 40;
const PANEL = { width: (WIDTH - 2 * MARGIN) / 2, height: 290 };
const FRAME = { left: 62, right: 12, top: 34, bottom: 40 };
const HEAD = 78;
const MODEL_SIZE = 1000;

/** @param {object} results what run.mjs collects @returns {string} */
export function plot({ date, machine, rounds, steady, cold }) {
  const panels = [...steadyPanels(steady), ...growthPanels(steady), ...coldPanels(cold)];
  const rows = Math.ceil(panels.length / 2);
  const height = HEAD + rows * PANEL.height + 20;
  const drawn = panels.map((panel, index) => panel(MARGIN + (index % 2) * PANEL.width, HEAD + Math.floor(index / 2) * PANEL.height));
  const about = `${date.slice(0, 10)}, ${machine.cores} cores of ${machine.cpu}, medians of ${rounds} rounds with the contenders in turn; thin lines show the least and the most. Less is better.`;
  return drawing(WIDTH, height, [text(MARGIN, 28, "Flagpost and its peers", { size: 18, anchor: "start", weight: "bold" }), text(MARGIN, 46, about, { anchor: "start", fill: "#666" }), legend(), ...drawn]);
}

function legend() {
  let x = MARGIN;
  return Object.entries(COLOURS).map(([name, colour]) => {
    const entry = rectangle(x, 56, 11, 11, colour) + text(x + 16, 66, name, { anchor: "start", size: 12 });
    x += 34 + name.length * 7;
    return entry;
  }).join("");
}

function steadyPanels(steady) {
  return Object.entries(steady).map(([runtime, sizes]) => {
    const size = sizes[MODEL_SIZE] === undefined ? Object.keys(sizes).at(-1) : MODEL_SIZE;
    const shown = Object.entries(CASES).filter(([name]) => sizes[size][name] !== undefined);
    const groups = shown.map(([name, title]) => ({ title, bars: barsOf(sizes[size][name], "us") }));
    return (x, y) => barPanel(x, y, `${runtime}, ${Number(size).toLocaleString("en-US")} flags`, "microseconds per call", groups);
  });
}

function coldPanels({ workerd, convex }) {
  return [["fresh workerd, first request, all flags", workerd], ["fresh context as in Convex, one flag", convex]]
    .filter(([, sizes]) => Object.keys(sizes).length > 0)
    .map(([title, sizes]) => {
      const groups = Object.entries(sizes).map(([size, contenders]) => ({ title: `${Number(size).toLocaleString("en-US")} flags`, bars: barsOf(contenders, "ms") }));
      return (x, y) => barPanel(x, y, title, "milliseconds", groups);
    });
}

/** What fits above a bar. */
const short = (value) => (value < 1000 ? digits(value) : `${digits(value / 1000)}k`);

/** In the legend's order. */
const barsOf = (contenders, unit) => Object.keys(COLOURS).filter((name) => name in contenders).map((name) => ({ name, ...spread(contenders[name][unit]) }));

function barPanel(x, y, title, axis, groups) {
  const bottom = y + PANEL.height - FRAME.bottom;
  const left = x + FRAME.left;
  const right = x + PANEL.width - FRAME.right;
  const positive = groups.flatMap(({ bars }) => bars.flatMap(({ median: middle, most }) => [middle, most])).filter((value) => value > 0);
  // Half of the least, so that its bar can be seen.
  const { place, ticks } = logarithmic([...positive, Math.min(...positive) / 2], bottom, y + FRAME.top);
  const above = (value) => Math.min(bottom, place(Math.max(value, ticks[0])));
  const parts = [heading(x, y, title, axis), ...ruler(left, right, ticks, place)];
  const groupWidth = (right - left) / groups.length;
  for (const [index, group] of groups.entries()) {
    const width = Math.min(24, (groupWidth - 14) / group.bars.length);
    const start = left + index * groupWidth + (groupWidth - width * group.bars.length) / 2;
    for (const [number, bar] of group.bars.entries()) {
      const middle = start + (number + 0.5) * width;
      parts.push(rectangle(start + number * width, above(bar.median), width - 1.5, bottom - above(bar.median), COLOURS[bar.name], `${bar.name}: ${digits(bar.median)}`));
      parts.push(line(middle - 0.7, above(bar.least), middle - 0.7, above(bar.most), "#00000066"));
      // Ours is the first of its group: to its left there is room, to its right a taller bar.
      if (bar.name === OURS) parts.push(text(start + width - 2, above(bar.most) - 4, short(bar.median), { size: 9, weight: "bold", anchor: "end" }));
      if (bar.name === "posthog-node") parts.push(text(middle, above(bar.most) - 4, short(bar.median), { size: 9 }));
    }
    parts.push(text(left + (index + 0.5) * groupWidth, bottom + 15, group.title));
  }
  return parts.join("\n");
}

function growthPanels(steady) {
  const runtime = Object.keys(steady)[0];
  const sizes = Object.keys(steady[runtime]);
  if (sizes.length < 2) return [];
  return [["all", "all flags"], ["one", "one flag"]]
    .filter(([name]) => steady[runtime][sizes[0]][name] !== undefined)
    .map(([name, title]) => (x, y) => growthPanel(x, y, `${runtime}, ${title}, as definitions grow`, sizes, steady[runtime], name));
}

function growthPanel(x, y, title, sizes, measured, name) {
  const bottom = y + PANEL.height - FRAME.bottom;
  const [left, right] = [x + FRAME.left, x + PANEL.width - FRAME.right];
  const contenders = Object.keys(COLOURS).filter((contender) => contender in measured[sizes[0]][name]);
  const of = (contender, size) => Math.max(median(measured[size][name][contender].us), 0.01);
  const up = logarithmic(contenders.flatMap((contender) => sizes.map((size) => of(contender, size))), bottom, y + FRAME.top);
  const along = logarithmic(sizes.map(Number), left + 10, right - 10);
  const parts = [heading(x, y, title, "microseconds per call"), ...ruler(left, right, up.ticks, up.place)];
  for (const size of sizes) parts.push(text(along.place(Number(size)), bottom + 15, Number(size).toLocaleString("en-US")));
  parts.push(text((left + right) / 2, bottom + 31, "flags in the definitions", { fill: "#666" }));
  for (const contender of contenders) parts.push(path(sizes.map((size) => [along.place(Number(size)), up.place(of(contender, size))]), COLOURS[contender]));
  return parts.join("\n");
}

const heading = (x, y, title, axis) => text(x + FRAME.left, y + 18, title, { anchor: "start", size: 13, weight: "bold" }) + text(x + 14, y + FRAME.top + (PANEL.height - FRAME.top - FRAME.bottom) / 2, axis, { turned: true, fill: "#666" });

const ruler = (left, right, ticks, place) =>
  ticks.flatMap((tick) => [line(left, place(tick), right, place(tick), "#e3e3e0"), text(left - 6, place(tick) + 4, tick.toLocaleString("en-US", { maximumFractionDigits: 2 }), { anchor: "end" })]);
