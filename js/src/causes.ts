/** An error and its causes on one line, outermost first, without the stacks: of "fetch failed" the cause says why. */
export function causes(error: unknown): string {
  const parts: string[] = [];
  for (let next = error; next !== undefined && next !== null && parts.length < 8; next = (next as Error).cause) {
    const { message, code } = next as { message?: unknown; code?: unknown };
    const text = onOneLine(String(message || code || next));
    if (!parts.some((part) => part.includes(text))) parts.push(text);
  }
  return parts.join(": ");
}

/** A text without line breaks and other characters that control what shows it. */
export function onOneLine(text: string): string {
  return text.split(/[\s\p{Cc}]+/u).filter((word) => word !== "").join(" ");
}
