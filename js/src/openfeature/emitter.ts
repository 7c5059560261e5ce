import type { AnyProviderEvent, EventContext, EventHandler, Logger, ProviderEventEmitter } from "@openfeature/core";

/** A provider's events. The SDKs have an emitter each; this one serves both, and needs nothing of Node's. */
export class Emitter implements ProviderEventEmitter<AnyProviderEvent> {
  readonly #handlers = new Map<AnyProviderEvent, EventHandler[]>();
  #logger: Logger | undefined;

  emit(event: AnyProviderEvent, context?: EventContext): void {
    for (const handler of this.getHandlers(event)) void this.#run(handler, context);
  }

  addHandler(event: AnyProviderEvent, handler: EventHandler): void {
    this.#handlers.set(event, [...this.getHandlers(event), handler]);
  }

  removeHandler(event: AnyProviderEvent, handler: EventHandler): void {
    this.#handlers.set(event, this.getHandlers(event).filter((it) => it !== handler));
  }

  removeAllHandlers(event?: AnyProviderEvent): void {
    if (event === undefined) this.#handlers.clear();
    else this.#handlers.delete(event);
  }

  getHandlers(event: AnyProviderEvent): EventHandler[] {
    return this.#handlers.get(event) ?? [];
  }

  setLogger(logger: Logger): this {
    this.#logger = logger;
    return this;
  }

  /** An application's handler that fails must not fail an evaluation. */
  async #run(handler: EventHandler, context: EventContext | undefined): Promise<void> {
    try {
      await (handler as (details?: EventContext) => unknown)(context);
    } catch (error) {
      (this.#logger ?? console).error("flagpost: an event handler failed:", error);
    }
  }
}
