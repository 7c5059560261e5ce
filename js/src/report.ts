import type { FlagpostError } from "./errors.js";

/** Tells of a failure that nobody is thrown. A listener that fails, at once or later, must not break an answer. */
export function report(onError: ((error: FlagpostError) => void) | null | undefined, error: FlagpostError): void {
  new Promise((resolve) => resolve((onError ?? print)(error))).catch(() => {
    // There is nobody left to tell.
  });
}

function print({ message }: FlagpostError): void {
  console.warn(`flagpost: ${message}`);
}
