import { onOneLine } from "../causes.js";

/** Most bytes of an answer's body shown to people. */
const EXCERPT = 200;

/** `1 flag`, `2 flags`. */
export function count(number: number, of: string): string {
  return `${number} ${of}${number === 1 ? "" : "s"}`;
}

/** A size for people: `812 B`, `10.2 KB`, `1.4 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A digest short enough for a line of text: `sha256:` and 12 digits. */
export function short(digest: string): string {
  return digest.slice(0, 19);
}

/** At most 200 bytes of a body, on one line, behind a separator; nothing if the body is empty. */
export function excerpt(body: string): string {
  const line = onOneLine(body);
  if (line === "") return "";
  const bytes = new TextEncoder().encode(line);
  if (bytes.length <= EXCERPT) return `: ${line}`;
  let cut = EXCERPT;
  // Not within a character.
  while (((bytes[cut] as number) & 0xc0) === 0x80) cut--;
  return `: ${new TextDecoder().decode(bytes.subarray(0, cut))}…`;
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
