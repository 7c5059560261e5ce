import { FlagpostError } from "../errors.js";
import type { Source } from "../source.js";

/** The source holds nothing. */
export function noSnapshot({ describe, writtenBy = "refresher run" }: Source): FlagpostError {
  return new FlagpostError("no_snapshot", `no snapshot at ${describe}: write one with "${writtenBy}"`);
}

/** The source has not answered. */
export function tooLate({ describe }: Source, seconds: number): FlagpostError {
  return new FlagpostError("source_failed", `${describe} did not answer within ${seconds} seconds`);
}

/** Whatever reading a source threw, with the source's name. */
export function readError(error: unknown, where: string): FlagpostError {
  if (error instanceof FlagpostError) {
    return error.message.includes(where)
      ? error
      : new FlagpostError(error.code, `${where}: ${error.message}`, { cause: error });
  }
  return new FlagpostError("source_failed", `${where} cannot be read: ${String(error)}`, { cause: error });
}

/** One error for those of several sources; the first one's code, as that is the source to be mended. */
export function combined(errors: readonly FlagpostError[]): FlagpostError | null {
  const [first, ...others] = errors;
  if (first === undefined || others.length === 0) return first ?? null;
  return new FlagpostError(first.code, errors.map(({ message }) => message).join("; "), { cause: errors });
}

/** The same error for another request, which may change it and whose stack it shows. */
export function again(error: FlagpostError): FlagpostError {
  return new FlagpostError(error.code, error.message, { cause: error.cause ?? error });
}

/** The snapshot is too old to be used. */
export function tooOld(where: string | null, ageSeconds: number | null, maxAge: number, cause: FlagpostError | null): FlagpostError {
  const reading = cause === null ? "is the refresher running?" : `the last read failed: ${cause.message}`;
  return new FlagpostError(
    "stale_snapshot",
    `PostHog last confirmed the snapshot of ${where} ${ageSeconds} seconds ago, and maxAge is ${maxAge}: ${reading}`,
    cause === null ? undefined : { cause },
  );
}
