/** The few shapes that a plot is made of, as SVG's text. */
const escaped = (text) => String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

export const text = (x, y, content, { size = 11, anchor = "middle", fill = "#333", weight = "normal", turned = false } = {}) =>
  `<text x="${at(x)}" y="${at(y)}" font-size="${size}" text-anchor="${anchor}" fill="${fill}" font-weight="${weight}"${turned ? ` transform="rotate(-90 ${at(x)} ${at(y)})"` : ""}>${escaped(content)}</text>`;

export const rectangle = (x, y, width, height, fill, title) =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${fill}">${title === undefined ? "" : `<title>${escaped(title)}</title>`}</rect>`;

export const line = (x1, y1, x2, y2, stroke, width = 1) => `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${stroke}" stroke-width="${width}"/>`;

export const path = (points, stroke) =>
  `<polyline points="${points.map(([x, y]) => `${at(x)},${at(y)}`).join(" ")}" fill="none" stroke="${stroke}" stroke-width="2"/>` +
  points.map(([x, y]) => `<circle cx="${at(x)}" cy="${at(y)}" r="3" fill="${stroke}"/>`).join("");

export const drawing = (width, height, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">\n${rectangle(0, 0, width, height, "#fdfdfc")}\n${parts.join("\n")}\n</svg>\n`;

const at = (number) => Number(number.toFixed(1));

/** A logarithmic axis from `low` to `high`, both rounded outwards to powers of ten. */
export function logarithmic(values, from, to) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const place = (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  return { place, ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
}
