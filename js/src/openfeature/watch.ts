import { ClientProviderEvents, type AnyProviderEvent, type ProviderEventEmitter } from "@openfeature/core";
import type { NoValueReason, SnapshotState } from "../flags/types.js";

export const { Ready: READY, Stale: STALE, Error: ERROR, ConfigurationChanged: CHANGED } = ClientProviderEvents;

/** Events that are a state too. */
type State = typeof READY | typeof STALE | typeof ERROR;

/** Emits an event when what answers has changed: once for every change, nothing while all stays as it was. */
export class Watch {
  readonly #events: ProviderEventEmitter<AnyProviderEvent>;
  #state: State = READY;
  #version: string | null = null;

  constructor(events: ProviderEventEmitter<AnyProviderEvent>) {
    this.#events = events;
  }

  /** The SDK itself says how `initialize` and a change of context ended. */
  told(state: State): void {
    this.#state = state;
  }

  /** Looks at what answered, and at the reason if it could not. */
  saw(snapshot: SnapshotState | null, reason: NoValueReason | null = null): void {
    this.sawVersion(snapshot);
    if (reason === "no_snapshot") this.turn(ERROR, "there is no snapshot");
    else if (reason === "stale_snapshot") this.turn(STALE, "the snapshot is older than maxAge allows");
    else if (snapshot?.stale) this.turn(STALE, `the snapshot is stale: it is ${snapshot.ageSeconds} seconds old`);
    else this.turn(READY, "the snapshot is current");
  }

  /** Says that there are other definitions. What answered first is no change. */
  sawVersion(snapshot: SnapshotState | null): void {
    const version = snapshot?.version ?? null;
    if (version === null || version === this.#version) return;
    const known = this.#version !== null;
    this.#version = version;
    if (known) this.#events.emit(CHANGED, { message: `the snapshot is now ${version}` });
  }

  /** Emits the state if it is another one than before. */
  turn(state: State, message: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#events.emit(state, { message });
  }
}
