import type { FlagCall } from "./event.js";

/** Answers that are remembered of one distinct id: many users may share one, each with other groups. */
const MOST_OF_ONE = 1000;

/** Which answers were recorded already, of the distinct ids that were seen last. */
export class Called {
  readonly #most: number;
  /** The least recently seen first. */
  readonly #byId = new Map<string, Set<string>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a call is the first of its flag, answer and groups; remembers it. */
  isNew({ distinctId, key, response, groups }: FlagCall): boolean {
    // PARITY: PostHogBackendClient._captureFlagCalledEventIfNeeded
    const called = this.#byId.get(distinctId) ?? new Set();
    this.#byId.delete(distinctId);
    this.#byId.set(distinctId, called);
    const entry = `${key}_${String(response)}${groupsOf(groups)}`;
    if (called.has(entry)) return false;
    // DIFFERENCE: posthog-node keeps any number of answers for one distinct id.
    if (called.size >= MOST_OF_ONE) called.clear();
    called.add(entry);
    if (this.#byId.size > this.#most) this.#byId.delete(this.#byId.keys().next().value as string);
    return true;
  }
}

function groupsOf(groups: FlagCall["groups"]): string {
  if (!groups || Object.keys(groups).length === 0) return "";
  return `_${JSON.stringify(Object.entries(groups).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))}`;
}
