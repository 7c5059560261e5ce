/** The demo's table of flags x users, as text. Colours only where a person watches. */

const REASONS = {
  experience_continuity: "continuity",
  unsupported_definition: "unsupported",
  unresolved_dependency: "dependency",
  missing_context: "missing",
};
const CODES = { green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 };

/** A function that paints text, or leaves it alone when `stream` is not a terminal or NO_COLOR is set. */
export function painter(stream) {
  const colours = stream.isTTY && !process.env.NO_COLOR;
  return (colour, text) => (colours ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}

/** One cell: its text, and the colour it has on a terminal. */
function cell(answers, key) {
  if (Object.hasOwn(answers.unresolved, key)) return ["yellow", `? ${REASONS[answers.unresolved[key]] ?? answers.unresolved[key]}`];
  if (!Object.hasOwn(answers.featureFlags, key)) return ["dim", ""];
  const value = answers.featureFlags[key];
  const payload = Object.hasOwn(answers.featureFlagPayloads, key) ? " +" : "";
  if (value === false) return ["dim", "–"];
  return value === true ? ["green", `✓${payload}`] : ["cyan", `${value}${payload}`];
}

/**
 * @param {{name: string, answers: {featureFlags: object, featureFlagPayloads: object, unresolved: object}}[]} columns
 * @returns {string} one line for each flag of any user, by name, and a legend
 */
export function table(columns, paint) {
  const keys = [...new Set(columns.flatMap(({ answers }) => [...Object.keys(answers.featureFlags), ...Object.keys(answers.unresolved)]))].sort();
  const rows = keys.map((key) => columns.map(({ answers }) => cell(answers, key)));
  const widths = columns.map(({ name }, column) => Math.max(name.length, ...rows.map((row) => row[column][1].length)));
  const keyWidth = Math.max(4, ...keys.map((key) => key.length));
  const rule = ["flag".padEnd(keyWidth), ...columns.map(({ name }, column) => name.padEnd(widths[column]))].join("  ");
  return [
    paint("bold", rule),
    paint("dim", "-".repeat(rule.length)),
    ...rows.map((row, index) => [keys[index].padEnd(keyWidth), ...row.map(([colour, text], column) => paint(colour, text.padEnd(widths[column])))].join("  ").trimEnd()),
    paint("dim", "-".repeat(rule.length)),
    ["decided".padEnd(keyWidth), ...columns.map(({ answers }, column) => `${Object.keys(answers.featureFlags).length} of ${keys.length}`.padEnd(widths[column]))].join("  ").trimEnd(),
    "",
    "✓ on    – off    a name is the variant    + comes with a payload    ? not decided at the edge, because of",
    "  continuity   the flag keeps its answer over login, and only the server remembers it",
    "  unsupported  the definition needs the server: uploaded list, look-ahead, unknown operator, circle",
    "  dependency   it depends on a flag that is not decided",
    "  missing      a property the flag reads was not given",
  ].join("\n");
}
