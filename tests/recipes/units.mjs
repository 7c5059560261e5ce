/** systemd's unit files, as far as ours go: sections, `Name=value`, names that come several times. */

/** @returns {Record<string, Record<string, string[]>>} */
export function parseUnit(text) {
  const unit = {};
  let section = null;
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const header = line.match(/^\[(\w+)\]$/);
    if (header) {
      section = unit[header[1]] ??= {};
      continue;
    }
    const at = line.indexOf("=");
    if (at < 1 || section === null || line.endsWith("\\")) throw new Error(`no line of a unit file that we write: ${line}`);
    (section[line.slice(0, at)] ??= []).push(line.slice(at + 1));
  }
  return unit;
}

/** The settings in an EnvironmentFile, or in `Environment=` lines. */
export function parseEnvironment(lines) {
  return Object.fromEntries(lines.filter((line) => line.trim() !== "" && !line.startsWith("#")).map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

/** A command line's words, with `%d` and `$NAME` filled in. `$NAME` alone is as many words as it holds. */
export function words(line, { credentials, env }) {
  return line.split(/\s+/).flatMap((word) => {
    const [, name] = word.match(/^\$(\w+)$/) ?? [];
    if (name !== undefined) return (env[name] ?? "").split(/\s+/).filter(Boolean);
    return [word.replaceAll("%d", credentials)];
  });
}
