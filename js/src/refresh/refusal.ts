import type { RefreshReason, RefreshStatus } from "./types.js";

/** Why there are no definitions to store, or none to be trusted. */
export class Refusal extends Error {
  /** When PostHog was asked, in milliseconds; undefined if that does not matter. */
  at: number | undefined;

  constructor(
    readonly status: RefreshStatus,
    readonly reason: RefreshReason,
    message: string,
  ) {
    super(message);
  }
}

/** Whether trying again can help: not at all, soon, or after so many milliseconds. */
export type Again = "no" | "soon" | number;

/** Why PostHog gave no definitions. */
export class Fault extends Refusal {
  constructor(
    reason: RefreshReason,
    message: string,
    readonly again: Again = "no",
  ) {
    super("error", reason, message);
  }
}

/** What the refresher exits with for a reason: its `--help` lists the numbers. */
export function exitOf(reason: RefreshReason | null): number {
  switch (reason) {
    case null:
    case "superseded":
    case "pinned":
      return 0;
    case "auth":
      return 3;
    case "quota":
      return 4;
    case "rate-limited":
      return 5;
    case "cold-cache":
    case "unexpected-status":
      return 6;
    case "fetch-failed":
      return 7;
    case "read-failed":
      return 9;
    case "write-failed":
    case "write-unverified":
    case "write-conflict":
    case "store-limit":
      return 10;
    default:
      return 8;
  }
}
