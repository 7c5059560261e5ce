import type { Target, TargetContent } from "../types.js";

/**
 * Keeps a snapshot in memory until the process ends. It can be read as a reader's source as well: for one
 * process that refreshes for itself.
 */
export function memoryTarget(describe = "memory"): Target {
  let stored: TargetContent | null = null;
  let writes = 0;
  return {
    describe,
    async read() {
      return stored;
    },
    async write(bytes, expected) {
      if ((stored?.version ?? null) !== expected) return "conflict";
      stored = { bytes: bytes.slice(), version: String(++writes) };
      return "written";
    },
  };
}
