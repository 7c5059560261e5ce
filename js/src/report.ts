import type { FlagpostError } from "./errors.js";

/** Tells of a failure that nobody is thrown. What the listener throws is not passed on: it must not break an answer. */
export function report(onError: ((error: FlagpostError) => void) | undefined, error: FlagpostError): void {
  try {
    if (onError === undefined) console.warn(`flagpost: ${error.message}`);
    else onError(error);
  } catch {
    // There is nobody left to tell.
  }
}
